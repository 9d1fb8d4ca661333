"""From an index to the estate around one vault: what can matter to an answer about it, and nothing else.

That is what stands at the vault, at its objects, at every scope above it and, where the tree of management groups leaves
that open, at every management group; whom these records, deny assignments, PIM and consents name; and who stands in their
groups, down to the last. Without `members`, people who are told by a membership only stay undescribed: nobody asks.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_type_hints

from kvaudit.model import scopes
from kvaudit.model.assignments import Columns, Rare, RoleAssignments, Values
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Principal
from kvaudit.model.edges import TYPE_BITS, Memberships, MembershipsBuilder
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.vaults import Vault
from kvaudit.snapshot.index_file import IndexDamagedError, IndexReader
from kvaudit.snapshot.index_write import LEAVES, WHOLE, listing_key, place_key
from kvaudit.snapshot.record_codec import decoder

_HINTS = get_type_hints(Estate)
_TYPE = (1 << TYPE_BITS) - 1


def vaults_named(index: IndexReader, name: str) -> tuple[Vault, ...]:
    """The vaults of a name in any case, in the order of the estate."""
    return tuple(_vault(index, scope) for scope in index.get("vault_names", name.casefold()) or ())


def vault_at(index: IndexReader, scope: str) -> Vault | None:
    """The vault of a folded scope."""
    return _vault(index, scope) if index.get("vaults", scope) is not None else None


def estate_around(index: IndexReader, vaults: Iterable[Vault], *, members: bool) -> Estate:
    """The estate around some vaults.

    Args:
        index: of the whole estate.
        vaults: of `vaults_named` or `vault_at`.
        members: whether the members of groups are asked about too.

    Raises:
        IndexDamagedError: the index is not as it was written.
    """
    return _Around(index, tuple(vaults), members=members).estate()


def _vault(index: IndexReader, scope: str) -> Vault:
    found = index.get("vaults", scope)
    if found is None:
        raise IndexDamagedError("a name leads to no vault")
    vault: Vault = decoder(Vault)(found)
    return vault


class _Around:
    """Gathers the estate around some vaults."""

    def __init__(self, index: IndexReader, vaults: tuple[Vault, ...], *, members: bool) -> None:
        self._index = index
        self._vaults = vaults
        self._members = members
        self._whole: dict[str, Any] = {name: decoder(_HINTS[name])(index.get("estate", name)) for name in WHOLE}
        self._small = Estate(**self._whole)
        self._recorded: dict[str, str | None] = {}
        self._described: dict[str, Principal] = {}
        self._member_of: dict[str, tuple[str, ...]] = {}
        self._stands_in: dict[str, tuple[int, list[str]]] = {}
        self._met: set[str] = set()

    def estate(self) -> Estate:
        assignments = list(self._assignments())
        below = self._directory(self._named(assignments))
        columns = RoleAssignments.of(assignments).knowing(self._recorded)
        return Estate(
            **self._whole,
            vaults=self._vaults,
            role_assignments=columns,
            principals={key: self._described[key] for key in sorted(self._described)},
            memberships=below,
            member_of=self._member_of,
            listings=self._listings(),
        )

    def _assignments(self) -> Iterator[RoleAssignment]:
        """The assignments that may matter, each once."""
        small = self._small
        over = {scope for vault in self._vaults for scope in small.scopes_over(vault.scope)}
        over.update(item.scope for item in small.schedule_instances)
        subscriptions = {vault.subscription_id for vault in self._vaults}
        open_ = any(not self._is_whole(item or "") for item in subscriptions)
        for key in sorted({"", *map(place_key, over)}):
            part = _part(self._index.get("role_assignments", key))
            for scope in part.starts:
                above = scopes.is_management_group(scope)
                for item in part.at(scope) if above or scope in over or self._is_inside(scope) else ():
                    listed = above and not subscriptions.isdisjoint(map(scopes.subscription_of, item.listed_from))
                    if not above or scope in over or open_ or listed:
                        yield item

    def _is_inside(self, scope: str) -> bool:
        vault = scopes.vault_of(scope)
        return vault is not None and any(vault == item.scope for item in self._vaults)

    def _is_whole(self, subscription: str) -> bool:
        """Whether the tree says everything that stands above a subscription, up to the root group."""
        nodes = {node.scope: node.parent for node in self._small.hierarchy}
        chain = (scopes.SUBSCRIPTION_PREFIX + subscription, *self._small.management_group_chain(subscription))
        return all(item in nodes for item in chain) and nodes[chain[-1]] is None

    def _named(self, assignments: Iterable[RoleAssignment]) -> Iterator[str]:
        small = self._small
        yield from (item.principal_id for item in assignments)
        yield from (item.principal_id for item in small.schedule_instances)
        for vault in self._vaults:
            yield from (item.object_id.casefold() for item in vault.access_policies or ())
        for deny in small.deny_assignments:
            yield from (item.id.casefold() for item in (*deny.principals, *deny.exclude_principals))
        for consent in small.delegated_permissions:
            yield from (item for item in (consent.client_id, consent.principal_id, consent.resource_id) if item)
        for schedule in small.group_schedule_instances:
            yield from (schedule.group, schedule.principal_id)
        yield from self._index.get("witnesses", "")

    def _directory(self, named: Iterable[str]) -> Memberships:
        """Reads everybody who is named and who stands below them, and answers their memberships."""
        found = self._index.get("names", "")
        names, types, pairs = found["names"], found["types"], found["pairs"]
        pending = list(dict.fromkeys(named))
        seen = self._met
        seen.update(pending)
        edges: dict[str, list[int]] = {}
        kept = None if self._asks_of_people() else _numbers(names, pending)
        for key in pending:  # grows while it is walked
            self._read(key)
            below = self._index.get("members", key)
            if below is None:
                continue
            listed, members = below["listed"], list(below["asked"])
            if kept is not None:
                listed = [
                    item
                    for item in listed
                    if types[pairs[item] & _TYPE] not in LEAVES or pairs[item] >> TYPE_BITS in kept
                ] or listed[:1]
            if listed:
                edges[key] = listed
            for item in listed:
                kind, name = types[pairs[item] & _TYPE], names[pairs[item] >> TYPE_BITS]
                if kind not in LEAVES or self._members:
                    members.append(name)
            fresh = [item for item in dict.fromkeys(members) if item not in seen]
            seen.update(fresh)
            pending.extend(fresh)
        self._climb(edges)
        return _memberships(edges, lambda item: (names[pairs[item] >> TYPE_BITS], types[pairs[item] & _TYPE]))

    def _asks_of_people(self) -> bool:
        """Whether it matters who stands in a group, and not only which groups those stand in whom records name.

        It does where members are listed, and where a deny assignment names or spares a group: another may overlap with it.
        """
        denies = self._small.deny_assignments
        named = {item.id.casefold() for deny in denies for item in (*deny.principals, *deny.exclude_principals)}
        return self._members or any(self._index.get("members", item) is not None for item in named)

    def _climb(self, edges: dict[str, list[int]]) -> None:
        """Adds the groups above those who may be in many, whatever these groups hold beside them."""
        pending = list(self._stands_in)
        walked = set(pending)
        above: dict[str, list[int]] = {}
        for key in pending:  # grows while it is walked
            member, groups = self._stands_in[key]
            for group in groups:
                if group not in edges:
                    above.setdefault(group, []).append(member)
                self._read(group)
                if group in self._stands_in and group not in walked:
                    walked.add(group)
                    pending.append(group)
        edges.update({group: sorted(found) for group, found in above.items()})

    def _read(self, key: str) -> None:
        found = self._index.get("principals", key)
        if found is None:
            return
        if found["described"] is not None:
            self._described[key] = decoder(Principal)(found["described"])
        if found["recorded"] is not None:
            self._recorded[key] = found["recorded"][0]
        if found["stands_in"] is not None:
            self._stands_in[key] = found["stands_in"]
        if found["member_of"] is not None:
            self._member_of[key] = tuple(found["member_of"])

    def _listings(self) -> tuple[Listing, ...]:
        keys = {"", *(item.subscription_id or "" for item in self._vaults)}
        keys.update(listing_key(place) for item in self._small.schedule_instances for place in item.listed_from)
        people = {*self._met, *self._described, *self._recorded, *self._member_of}  # some are met and not described
        keys.update(f"{kind}/{item}" for item in people for kind in ("groups", "serviceprincipals"))
        rows = [*self._index.get("kinds", "")]
        for key in sorted(keys):
            rows += self._index.get("listings", key) or []
        found: Iterable[Listing] = dict.fromkeys(map(decoder(Listing), rows))
        return tuple(sorted(found, key=lambda item: (item.kind, scopes.fold(item.scope))))


def _part(content: Any) -> RoleAssignments:
    if content is None:
        return RoleAssignments.of(())
    columns = content["columns"]
    values = [item["values"] for item in columns]
    values[1] = [(role, condition) for role, condition in values[1]]
    values[4] = [frozenset(item) for item in values[4]]
    numbers = [array("I", item["numbers"]) for item in columns]
    rare = {int(row): Rare(*item) for row, item in content["rare"].items()}
    starts = {scope: (begin, end) for scope, (begin, end) in content["starts"].items()}
    return RoleAssignments(Columns._make([*numbers, bytes.fromhex(content["names"])]), Values(*values), rare, starts)


def _numbers(names: list[str], keys: Iterable[str]) -> frozenset[int]:
    """The places of those keys that stand in a sorted list."""
    found = ((bisect_left(names, key), key) for key in keys)
    return frozenset(place for place, key in found if place < len(names) and names[place] == key)


def _memberships(edges: dict[str, list[int]], known: Callable[[int], tuple[str, str | None]]) -> Memberships:
    """The memberships of some groups, with the numbers of the whole estate made small."""
    builder = MembershipsBuilder()
    for group, members in edges.items():
        builder.edges_of(group).extend(builder.number(*known(item)) for item in members)
    return builder.done()
