"""A second opinion, written from the published rules as plain sets: worlds in which every doubt is settled.

A world settles each thing that the records of `drawn_estates` leave open: what a role holds that was not read, who is in a
group that was not read, whether a condition is met, and so on. In a world, access is a yes or a no. What the evaluator
answers is judged by all the worlds together. Nothing here is shared with `kvaudit.access`.
"""

import itertools
import re
from dataclasses import dataclass

from drawn_estates import GROUPS, LOST, PAST, SECRET, TENANT, VAULT

from kvaudit.model.authorization import EVERYONE, DenyAssignment, RoleAssignment, RoleDefinition, ScheduleInstance
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import Operation
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import ObjectRef, PermissionModel

CHANGES = ("set", "update", "delete", "recover", "purge")
WAITING = ("activated", "condition", "application", "join")
"""Doubts that somebody can settle by acting: they make an answer conditional. All others make it unknown.

`join GROUP WHO` is special: nobody has to join a group, so what holds without joining is certain, and whoever joins a
group gets its denies with its grants.
"""


@dataclass(frozen=True)
class World:
    """The doubts that are settled as yes."""

    yes: frozenset[str]

    def has(self, doubt: str) -> bool:
        return doubt in self.yes

    @property
    def joined(self) -> bool:
        return any(item.startswith("join ") for item in self.yes)

    @property
    def settled_by_acting(self) -> frozenset[str]:
        return frozenset(item for item in self.yes if item.split(" ")[0] in WAITING)


def worlds(estate: Estate, who: str, *, most: int) -> tuple[World, ...]:
    """Every world of an estate, for one principal; none where there are more than `most`."""
    doubts = sorted(_doubts(estate, who))
    if 2 ** len(doubts) > most:
        return ()
    sizes = range(len(doubts) + 1)
    return tuple(World(frozenset(chosen)) for size in sizes for chosen in itertools.combinations(doubts, size))


def _doubts(estate: Estate, who: str) -> set[str]:
    found = {"object writes", "odd wildcard"} | {
        f"effect {item.id}" for item in estate.deny_assignments if item.effect is None
    }
    roles = {item.role for item in estate.role_assignments} | {item.role for item in estate.schedule_instances}
    if LOST in roles:
        found.add("lost role")
    if any(item.do_not_apply_to_child_scopes for item in estate.deny_assignments):
        found.add("vault is parent")
    conditions = [item.condition for item in estate.role_assignments] + [
        item.condition for item in estate.deny_assignments
    ]
    if any(conditions) or "conditioned" in roles:
        found.add("condition")
    if estate.schedule_instances:
        found.add("activated")
    if any(entry.application_id for entry in estate.vaults[0].access_policies or ()):
        found.add("application")
    if estate.vaults[0].permission_model is None or estate.vaults[0].access_policies is None:
        found.add("properties")
    asked = who == "robot" and who in estate.member_of  # its own answer is whole, whatever was not read of groups
    for gap in estate.gaps:
        name = gap.scope.partition("/")[2]
        if gap.kind == "group_eligibility_schedule_instances":
            if who not in ("robot", "form"):  # people activate memberships
                found.update((f"veiled {name}", f"join {name} {who}"))
        elif gap.kind == "group_assignment_schedule_instances":
            continue  # the members were listed, or their gap stands for itself
        elif gap.kind != "group_members":
            found.add(f"hidden {gap.kind}")
        elif not asked:
            found.add(f"member {name}")
    found.update(f"join {group} {member}" for group, member in _open_memberships(estate))
    if who == "robot" and "robot" not in estate.member_of:
        found.update(f"member {group}" for group in GROUPS)
    if who == "stranger" and any(gap.kind == "service_principals" for gap in estate.gaps):
        found.update(f"member {group}" for group in GROUPS)  # it may be a service principal
    if who in ("guest", "stranger"):
        found.add("member partner")
    asked = who == "robot" and who in estate.member_of
    tenants = {entry.tenant_id for entry in estate.vaults[0].access_policies or () if entry.object_id == "stranger"}
    # Named for this tenant it may be any group of it; named for the other alone it can only be one of that tenant's.
    if not asked and (TENANT in tenants or (tenants and who == "guest")):
        found.add("member stranger")
    return found


def may(estate: Estate, world: World, who: str, operation: Operation, ref: ObjectRef | None) -> bool:
    """Whether access is given in a world."""
    vault = estate.vaults[0]
    if who == "form":
        return False
    circles = _circles(estate, world, who)
    if vault.permission_model is None:
        return world.has("properties")
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        return _by_policy(estate, world, circles, operation)
    if vault.tenant_id != TENANT:
        return False
    granted = _by_role(estate, world, circles, operation, ref) or world.has("hidden role_assignments")
    granted = granted or world.has("hidden role_eligibility_schedule_instances")
    denied = any(_denies(item, world, circles, operation, ref) for item in estate.deny_assignments)
    return granted and not denied and not world.has("hidden deny_assignments")


def _open_memberships(estate: Estate) -> set[tuple[str, str]]:
    """Group and member: memberships that somebody is eligible for now."""
    return {
        (item.group, item.principal_id)
        for item in estate.group_schedule_instances
        if item.eligible and item.access == "member" and item.end != PAST
    }


def _circles(estate: Estate, world: World, who: str) -> frozenset[str]:
    """The principal and every group that it is in, one step at a time until nothing is added."""
    found = {who, *(estate.member_of.get(who, ()))}
    found.update(item.split(" ")[1] for item in world.yes if item.startswith("member ") and item != f"member {who}")
    joinable = _open_memberships(estate) | {
        (item.split(" ")[1], who) for item in world.yes if item.startswith("veiled ")
    }
    joined = {(group, member) for group, member in joinable if world.has(f"join {group} {member}")}
    edges = {(edge.group, edge.member) for edge in estate.memberships}
    edges |= {(item.group, item.principal_id) for item in estate.group_schedule_instances if not item.eligible}
    while True:
        more = {group for group, member in edges if member in found} - found
        more |= {group for group, member in joined if member in found} - found
        if not more:
            return frozenset(found)
        found |= more


def _by_policy(estate: Estate, world: World, circles: frozenset[str], operation: Operation) -> bool:
    vault = estate.vaults[0]
    if vault.access_policies is None:
        return world.has("properties")
    for entry in vault.access_policies:
        words = {f"secrets/{name}" for name in entry.secrets or ()}
        if "secrets/all" in words:
            words |= {
                word for word in operation.policy_words if word.startswith("secrets/") and word != "secrets/purge"
            }
        if (
            entry.tenant_id == vault.tenant_id
            and entry.object_id in circles
            and words & set(operation.policy_words)
            and (entry.application_id is None or world.has("application"))
        ):
            return True
    return False


def _by_role(
    estate: Estate, world: World, circles: frozenset[str], operation: Operation, ref: ObjectRef | None
) -> bool:
    records: tuple[RoleAssignment | ScheduleInstance, ...] = (*estate.role_assignments, *estate.schedule_instances)
    for record in records:
        if record.principal_id not in circles or not _covers(record.scope, ref):
            continue
        if isinstance(record, ScheduleInstance) and not world.has("activated"):
            continue
        if record.condition and not _met(world, operation, ref):
            continue
        if "/secrets/" in record.scope:
            if operation.vault_only:
                continue
            if operation.word.split("/")[1] in CHANGES and not world.has("object writes"):
                continue
        if _role_holds(estate, world, record.role, operation, ref):
            return True
    return False


def _met(world: World, operation: Operation, ref: ObjectRef | None) -> bool:
    """Whether the one condition of `drawn_estates`, on the name of the secret, opens a grant.

    A list carries no name; on the secret itself the name is the very text; `setSecret` carries it under @Request only.
    """
    if operation.word == "secrets/list":
        return False
    if ref is not None and operation.word != "secrets/set":
        return True
    return world.has("condition")


def _role_holds(estate: Estate, world: World, role: str, operation: Operation, ref: ObjectRef | None) -> bool:
    if role == LOST:
        return world.has("lost role")
    definition: RoleDefinition = estate.role_definitions.get(role) or builtin_roles()[role]
    for block in definition.permissions:
        if block.condition and not _met(world, operation, ref):
            continue
        if all(_in(action, block.data_actions, world) for action in operation.data_actions) and not any(
            _in(action, block.not_data_actions, world) for action in operation.data_actions
        ):
            return True
    return False


def _in(action: str, patterns: tuple[str, ...], world: World) -> bool:
    for pattern in patterns:
        spelled = {pattern, pattern.replace("/*/", "/")} if world.has("odd wildcard") else {pattern}
        for text in spelled:
            if re.fullmatch(re.escape(text).replace(r"\*", ".*"), action, re.IGNORECASE):
                return True
    return False


def _covers(scope: str, ref: ObjectRef | None) -> bool:
    place = VAULT if ref is None else f"{VAULT}/secrets/{SECRET.name}"
    return scope.startswith("/providers/microsoft.management/") or (place + "/").startswith(scope.rstrip("/") + "/")


def _denies(
    deny: DenyAssignment, world: World, circles: frozenset[str], operation: Operation, ref: ObjectRef | None
) -> bool:
    if deny.effect == "audit" or (deny.effect is None and not world.has(f"effect {deny.id}")):
        return False
    if deny.condition and not world.has("condition"):
        return False
    if not _covers(deny.scope, ref):
        return False
    if deny.do_not_apply_to_child_scopes:
        place = VAULT if ref is None else f"{VAULT}/secrets/{SECRET.name}"
        if deny.scope != place:
            return False
        if ref is None and not operation.vault_only and not world.has("vault is parent"):
            return False
    named = {item.id for item in deny.principals}
    spared = {item.id for item in deny.exclude_principals}
    if not (EVERYONE in named or named & circles) or spared & circles:
        return False
    return any(
        _in(action, block.data_actions, world) for block in deny.permissions for action in operation.data_actions
    )
