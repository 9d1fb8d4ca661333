"""Who stands in which group, what of that is certain, and what nobody read.

How sure we are that a principal is *not* in a group (that it is in one is certain when a chain of memberships says so):

- A group whose members were not read to their end may hold any user, device, group or service principal. So may every
  group that it is nested in, and whatever it holds.
- A service principal is certain only when it was asked for its groups (`Estate.member_of`): Graph v1.0 leaves service
  principals out of `groups/{id}/members`, so a group that was read says nothing about them. An ID whose type is not
  known may be a service principal, unless all of the tenant's service principals were listed and it is none of them.
- A foreign group (of another tenant, its members never readable) holds principals of that tenant. A member user, a
  device, a group or a service principal that this directory knows as its own is not one of them: tokens that this
  tenant issues to it do not carry another tenant's groups. A guest, and an ID that this directory does not know, may be.
- An ID of which neither a record nor the directory says what it is may be a group. When the directory answered that it
  holds no such ID, or an access policy names it for another tenant, it can only be a foreign one: nobody whom this
  directory knows as its own is in a group that this directory does not hold. (A guest is told by `userType`, or by the
  `#EXT#` in its user principal name where the type was not read.)
- A soft-deleted group is in nobody's token: its members hold nothing through it until it is restored.
- An application registration is never a member of anything and grants to it are worth nothing.
- Whoever is eligible for membership of a group (PIM for Groups) may come into it: `ways_up`. Where a group's eligibility
  could not be read, any user or group may be eligible; a service principal or a device activates nothing. Where it was
  never asked for, nothing is doubted: that is told once, as not assessed (`is_assessed`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from kvaudit.access.memberships import ELIGIBLE_MEMBERS, Edges, Way, ways
from kvaudit.access.principal_types import PrincipalTypes
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap

GROUP_MEMBERS = "group_members"
SERVICE_PRINCIPAL_GROUPS = "service_principal_groups"
_NOT_GROUPS = frozenset({"User", "ServicePrincipal", "Device", "Application"})
_MAY_ACTIVATE = frozenset({"User", "Group", None})


class Directory:
    """Memberships of one estate, closed over nesting. Answers are kept: ask as often as you like.

    Args:
        estate: the records.
        types: what the records that name a principal say about its type, by folded ID.
        elsewhere: folded IDs that records name as those of another tenant's directory.
    """

    def __init__(
        self, estate: Estate, types: Mapping[str, str | None], elsewhere: frozenset[str] = frozenset()
    ) -> None:
        self._elsewhere = elsewhere
        self._estate = estate
        self._natives: dict[str, bool] = {}
        self._chains: dict[str, dict[str, tuple[str, ...]]] = {}
        self._hidden: dict[str, tuple[Gap, ...]] = {}
        self._members: dict[str, dict[str, tuple[str, ...]]] = {}
        self._ways: dict[str, Mapping[str, Way]] = {}
        self._everyone: dict[str, frozenset[str]] = {}
        self.edges = Edges(estate)
        self.types = PrincipalTypes(estate, types, self.edges)

    def principal(self, principal_id: str) -> Principal:
        """What the directory says of a folded ID; one that records name for another tenant alone is foreign."""
        principal = self._estate.principal(principal_id)
        if principal.state is PrincipalState.UNRESOLVED and principal_id in self._elsewhere:
            return replace(principal, state=PrincipalState.FOREIGN)
        return principal

    def type_of(self, principal_id: str) -> str | None:
        """`User`, `Group`, ...: by the directory, else by the records that name it, else by the memberships."""
        return self.types.of(principal_id)

    def is_recorded(self, principal_id: str) -> bool:
        """Whether a role assignment or a membership names this ID."""
        return self.types.is_recorded(principal_id)

    def may_be_group(self, principal_id: str) -> bool:
        """Whether others may hold something through this ID."""
        return self.type_of(principal_id) not in _NOT_GROUPS

    def is_foreign(self, group_id: str) -> bool:
        """Whether a group is, or can only be, one of another tenant."""
        principal = self.principal(group_id)
        return (
            principal.state is PrincipalState.FOREIGN
            or self.type_of(group_id) == "ForeignGroup"
            or principal.state is PrincipalState.NOT_FOUND
            or (group_id in self._elsewhere and principal.state is not PrincipalState.FOUND)
        )

    def chains_up(self, principal_id: str) -> Mapping[str, tuple[str, ...]]:
        """Every group that the principal is in for certain -> the chain from that group down to the one it stands in."""
        if principal_id not in self._chains:
            self._chains[principal_id] = self._climb(principal_id)
        return self._chains[principal_id]

    def groups_over(self, principal_id: str) -> frozenset[str]:
        """The groups of `chains_up`, for those who ask about a tenant's principals once each: no chain is kept."""
        known = self._chains.get(principal_id)
        return frozenset(self._climb(principal_id) if known is None else known)

    def chains_down(self, group_id: str) -> Mapping[str, tuple[str, ...]]:
        """Every principal that is in the group for certain -> the chain from the group down to the one it stands in."""
        if group_id not in self._members:
            self._members[group_id] = self._descend(group_id)
        return self._members[group_id]

    def members_among(self, group_id: str, names: frozenset[str] | None) -> frozenset[str]:
        """Those of some principals, or of all, that are in a group for certain. Unlike `chains_down` it keeps nothing."""
        known = self._members.get(group_id)
        members = (self._descend(group_id) if known is None else known).keys()
        return frozenset(members if names is None else names & members)

    def ways_up(self, principal_id: str) -> Mapping[str, Way]:
        """Every group that the principal is not in and can come into -> how: by activation, or when its time begins."""
        if not self._estate.group_schedule_instances:
            return {}
        if principal_id not in self._ways:
            standing = {principal_id: (), **self.chains_up(principal_id)}
            self._ways[principal_id] = ways(self.edges, standing, self._is_live)
        return self._ways[principal_id]

    def everyone_below(self, group_id: str) -> frozenset[str]:
        """Every principal that is in the group, or can come into it by a way that is on record."""
        if not self.edges.awaited_by_group:
            return frozenset(self.chains_down(group_id))
        if group_id not in self._everyone:
            found: set[str] = set()
            pending = [group_id]
            for below in pending:  # grows while it is walked
                awaited = (item.member for item in self.edges.awaited_by_group.get(below, ()))
                if self._is_live(below):
                    fresh = {*self.chains_down(below), *awaited} - found
                    found |= fresh
                    pending.extend(fresh)
            self._everyone[group_id] = frozenset(found - {group_id})
        return self._everyone[group_id]

    def unread_eligibility(self, group_id: str) -> tuple[Gap, ...]:
        """The gaps that hide who is eligible for membership of a group or of one below it."""
        if not self._eligibility_gaps or not self.may_be_group(group_id) or self.is_foreign(group_id):
            return ()
        below = (group_id, *sorted(item for item in self.everyone_below(group_id) if self.may_be_group(item)))
        return tuple(gap for item in below if self._is_live(item) for gap in self._eligibility_gap(item))

    def eligibility_doubt(self, principal_id: str, group_id: str) -> tuple[Gap, ...]:
        """Why the principal may be eligible for membership of the group although nothing says so."""
        if not self._eligibility_gaps or principal_id == group_id or self.type_of(principal_id) not in _MAY_ACTIVATE:
            return ()
        return self.unread_eligibility(group_id)

    def is_assessed(self, group_id: str) -> bool:
        """Whether somebody asked who is eligible for membership of a group, with or without success."""
        return self._estate.was_read(ELIGIBLE_MEMBERS, f"groups/{group_id}") or bool(self._eligibility_gap(group_id))

    def _eligibility_gap(self, group_id: str) -> tuple[Gap, ...]:
        scope = f"groups/{group_id}"
        found = self._eligibility_gaps.get(scope)
        if found is None and not self._estate.was_read(ELIGIBLE_MEMBERS, scope):
            found = self._eligibility_gaps.get("groups") or self._eligibility_gaps.get("/")
        return (found,) if found else ()

    @cached_property
    def _eligibility_gaps(self) -> dict[str, Gap]:
        return {gap.scope.casefold(): gap for gap in self._estate.gaps if gap.kind == ELIGIBLE_MEMBERS}

    def is_certain(self, principal_id: str) -> bool:
        """Whether the principal was asked for its groups, so that the answer is whole."""
        return principal_id in self._estate.member_of and ("serviceprincipals/" + principal_id) not in self._gap_scopes

    def groups_below(self, *group_ids: str) -> tuple[str, ...]:
        """Those of `chains_down` that may be groups: the members of a large group are not looked at one by one."""
        if self._nested.keys().isdisjoint(group_ids):
            return ()
        found, seen = list(group_ids), set(group_ids)
        for below in found:  # grows while it is walked
            for member in self._nested.get(below, ()) if self._is_live(below) else ():
                if member not in seen:
                    seen.add(member)
                    found.append(member)
        return tuple(item for item in found[len(group_ids) :] if self.may_be_group(item))

    @cached_property
    def _nested(self) -> Mapping[str, list[str]]:
        but = {item for kind in _NOT_GROUPS for item in self._estate.ids_by_type.get(kind, ())}
        return self.edges.nested(self.may_be_group, but)

    @cached_property
    def _above_nested(self) -> Mapping[str, list[str]]:
        """The same from below: the groups in which each stands directly, sorted."""
        found: dict[str, list[str]] = {}
        for group, members in sorted(self._nested.items()):
            for member in members:
                found.setdefault(member, []).append(group)
        return found

    def _parents(self, principal_id: str) -> Sequence[str]:
        """The groups in which somebody stands directly, sorted: of groups they are known without a table of all members."""
        may_be_group = principal_id in self.edges.members or self.may_be_group(principal_id)
        return (self._above_nested if may_be_group else self.edges.parents).get(principal_id, ())

    def stands_in(self, principal_id: str, groups: frozenset[str]) -> bool:
        """Whether anything says of somebody that he is in one of some groups, whatever these are in."""
        asked = self._estate.member_of.get(principal_id, ())
        return not groups.isdisjoint(self._parents(principal_id)) or not groups.isdisjoint(asked)

    def has_members(self, principal_id: str) -> bool:
        """Whether anything says of anybody that he is in this ID."""
        return principal_id in self.edges.members or principal_id in self.asked_members

    def hidden_below(self, group_id: str) -> tuple[Gap, ...]:
        """What was not read of the members of a group, its own listing first, then those of groups nested in it."""
        if group_id not in self._hidden:
            known = self.everyone_below(group_id) if self.edges.awaited_by_group else self.groups_below(group_id)
            unread = [item for item in (group_id, *sorted(known)) if self._is_unread(item)]
            self._hidden[group_id] = tuple(self._members_gap(item) for item in unread)
        return self._hidden[group_id]

    def _concealed_below(self, group_id: str) -> tuple[Gap, ...]:
        """Those of `hidden_below` that hide a group with hidden membership, which Graph also leaves out of what one is in."""
        unread = self.hidden_below(group_id)
        return tuple(gap for gap in unread if self.principal(gap.scope.rpartition("/")[2].casefold()).hides_members)

    def doubt(self, principal_id: str, group_id: str) -> tuple[Gap, ...]:
        """Why the principal may be in the group although nothing says so; empty when it certainly is not."""
        if principal_id == group_id or self.type_of(principal_id) == "Application" or not self.may_be_group(group_id):
            return ()
        if self.principal(group_id).state is PrincipalState.DELETED_RESTORABLE:
            return ()
        if self.is_foreign(group_id):
            return () if self._is_native(principal_id) else (self._members_gap(group_id),)
        if self.is_certain(principal_id):
            return self._concealed_below(group_id)
        gaps = self.hidden_below(group_id)
        if self.may_be_service_principal(principal_id):
            gaps = (*gaps, self._groups_gap(principal_id))
        return gaps

    def in_doubt(self, principal_id: str, groups: frozenset[str], shady: frozenset[str]) -> frozenset[str]:
        """Those of some groups that the principal may be in although nothing says so.

        Args:
            principal_id: folded.
            groups: the groups in question.
            shady: those among them whose members were not all read (`is_shady`), worked out once for many principals.
        """
        native = self._is_native(principal_id)
        if native and self.is_certain(principal_id):
            return frozenset(item for item in shady & groups if self._concealed_below(item))
        suspects = shady if native and not self.may_be_service_principal(principal_id) else groups
        return frozenset(item for item in suspects & groups if self.doubt(principal_id, item))

    def is_shady(self, group_id: str) -> bool:
        """Whether a group may hold a user of this tenant whom nobody saw in it."""
        return bool(self.hidden_below(group_id))

    def hides_members(self, group_id: str) -> tuple[Gap, ...]:
        """Why a list of the group's members may be short; empty when it is whole."""
        if not self.may_be_group(group_id) or self.principal(group_id).state is PrincipalState.DELETED_RESTORABLE:
            return ()
        gaps = (self._members_gap(group_id),) if self.is_foreign(group_id) else self.hidden_below(group_id)
        gaps = (*gaps, *self.unread_eligibility(group_id))
        return gaps if self.all_service_principals_asked else (*gaps, self._groups_gap(None))

    def may_overlap(self, group_id: str, other_id: str) -> bool:
        """Whether some principal may stand both in a group and in (or be) the other."""
        if not self.may_be_group(other_id):
            known = group_id in self.chains_up(other_id) or group_id in self.ways_up(other_id)
            return known or bool(self.doubt(other_id, group_id) or self.eligibility_doubt(other_id, group_id))
        if self.hides_members(group_id) or self.hides_members(other_id):
            return True
        return bool({other_id, *self.everyone_below(other_id)} & {group_id, *self.everyone_below(group_id)})

    @cached_property
    def all_service_principals_asked(self) -> bool:
        """Whether every service principal of the tenant was listed and asked for its groups."""
        known = [item.id for item in self._estate.principals.values() if item.type == "ServicePrincipal"]
        return self._all_service_principals_listed and all(self.is_certain(item) for item in known)

    @cached_property
    def _all_service_principals_listed(self) -> bool:
        kinds = {listing.kind for listing in self._estate.listings}
        return "service_principals" in kinds and all(gap.kind != "service_principals" for gap in self._estate.gaps)

    @cached_property
    def _gap_scopes(self) -> dict[str, Gap]:
        kinds = (GROUP_MEMBERS, SERVICE_PRINCIPAL_GROUPS)
        return {gap.scope.casefold(): gap for gap in self._estate.gaps if gap.kind in kinds}

    @cached_property
    def asked_members(self) -> Mapping[str, list[str]]:
        """Group -> the service principals that said that they are in it."""
        table: dict[str, list[str]] = {}
        for principal_id, groups in self._estate.member_of.items():
            for group in groups:
                table.setdefault(group, []).append(principal_id)
        return table

    def _climb(self, principal_id: str) -> dict[str, tuple[str, ...]]:
        if self.type_of(principal_id) == "Application":
            return {}
        asked = self._estate.member_of.get(principal_id, ())
        found: dict[str, tuple[str, ...]] = {group: (group,) for group in asked if self._is_live(group)}
        layer: list[tuple[str, tuple[str, ...]]] = [(principal_id, ())]
        walked = {principal_id}
        while layer:
            following: list[tuple[str, tuple[str, ...]]] = []
            for member, chain in layer:
                for group in self._parents(member):
                    if group in walked or not self._is_live(group):
                        continue
                    walked.add(group)
                    found[group] = (group, *chain)
                    following.append((group, found[group]))
            layer = following
        for group in tuple(found):
            self._climb_above(group, found)
        found.pop(principal_id, None)
        return found

    def _climb_above(self, group: str, found: dict[str, tuple[str, ...]]) -> None:
        """Add the groups above a group that the principal named itself, by the edges that were read."""
        pending = [group]
        while pending:
            below = pending.pop()
            for above in self._parents(below):
                if above not in found and self._is_live(above):
                    found[above] = (above, *found[below])
                    pending.append(above)

    def _descend(self, group_id: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        if not self._is_live(group_id):
            return found
        pending: list[tuple[str, tuple[str, ...]]] = [(group_id, (group_id,))]
        walked = {group_id}
        while pending:
            following: list[tuple[str, tuple[str, ...]]] = []
            for group, chain in pending:
                for member in (*self.edges.members.get(group, ()), *self.asked_members.get(group, ())):
                    if member in walked or self.type_of(member) == "Application":
                        continue
                    walked.add(member)
                    found[member] = chain
                    if self._is_live(member):
                        following.append((member, (*chain, member)))
            pending = following
        return found

    def _is_live(self, group_id: str) -> bool:
        is_deleted = self.principal(group_id).state is PrincipalState.DELETED_RESTORABLE
        return not is_deleted and self.may_be_group(group_id)  # whatever lists say, nobody is in a user

    def _is_unread(self, group_id: str) -> bool:
        """Whether an ID that is, or may be, a group of this tenant has members that were not read to their end."""
        known = self._estate.principals.get(group_id)
        is_plain = known is not None and known.state is PrincipalState.FOUND and known.type == "Group"
        if not is_plain and (not self._is_live(group_id) or self.is_foreign(group_id)):
            return False
        scope = f"groups/{group_id}"
        return scope in self._gap_scopes or not self._estate.was_read(GROUP_MEMBERS, scope)

    def _is_native(self, principal_id: str) -> bool:
        """Whether this tenant knows the principal as its own and not as a guest."""
        if principal_id not in self._natives:
            principal = self.principal(principal_id)
            self._natives[principal_id] = (
                principal.state is PrincipalState.FOUND
                and principal.type in ("User", "ServicePrincipal", "Device", "Group")
                and principal.user_type != "Guest"
                and "#ext#" not in (principal.user_principal_name or "").casefold()
            )
        return self._natives[principal_id]

    def may_be_service_principal(self, principal_id: str) -> bool:
        """Whether lists of members leave this ID out, so that it has to be asked for its groups."""
        kind = self.type_of(principal_id)
        return kind == "ServicePrincipal" or (kind is None and not self._all_service_principals_listed)

    def _members_gap(self, group_id: str) -> Gap:
        known = self._gap_scopes.get(f"groups/{group_id}")
        if known:
            return known
        reason = "the members of this group were not read"
        if self.is_foreign(group_id):  # nobody here may read another tenant
            return Gap(GROUP_MEMBERS, f"groups/{group_id}", "the members of a group of another tenant cannot be read")
        if self.type_of(group_id) != "Group":
            reason = "this ID may be a group, and its members were not read"
        return Gap(GROUP_MEMBERS, f"groups/{group_id}", reason, permission="GroupMember.Read.All")

    def _groups_gap(self, principal_id: str | None) -> Gap:
        scope = f"servicePrincipals/{principal_id}" if principal_id else "servicePrincipals"
        reason = (
            "the groups of this service principal were not read"
            if principal_id
            else "not every service principal was asked for its groups, and lists of members leave service principals out"
        )
        known = self._gap_scopes.get(scope.casefold())
        return known or Gap(SERVICE_PRINCIPAL_GROUPS, scope, reason, permission="GroupMember.Read.All")
