"""Two opinions that share no code: the lab's plain evaluator and `access`, on every (vault, principal, operation).

Generated estates are raw payloads. The lab decides from them as they are; `access` from what the collectors parse of them.
Allowed and denied must be the lab's answer too. Conditional and unknown are answers that only something open may have:
a condition, an eligible assignment, a grant on one object whose writes are disputed.
"""

import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.access.evaluator import Access
from kvaudit.collectors.catalogue import by_kind
from kvaudit.lab.estate import Estate as LabEstate
from kvaudit.lab.estate import fold
from kvaudit.lab.estate_file import builtin_role_definitions
from kvaudit.lab.evaluator import decide_data
from kvaudit.lab.world import World
from kvaudit.model.answers import Answer
from kvaudit.model.directory import Membership, Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.permissions import operations
from kvaudit.model.vaults import ObjectRef

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "33333333-3333-3333-3333-000000000001"
USERS = tuple(f"44444444-4444-4444-4444-00000000000{n}" for n in range(1, 4))
GROUPS = tuple(f"55555555-5555-5555-5555-00000000000{n}" for n in range(1, 5))
WORKLOADS = tuple(f"66666666-6666-6666-6666-00000000000{n}" for n in range(1, 3))
PEOPLE = USERS + WORKLOADS
ROOT_GROUP = "/providers/Microsoft.Management/managementGroups/root"
MIDDLE_GROUP = "/providers/Microsoft.Management/managementGroups/middle"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg1"
NEIGHBOUR = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg10"


def vault_id(group: str, name: str) -> str:
    return f"{group}/providers/Microsoft.KeyVault/vaults/{name}"


VAULTS = (vault_id(GROUP, "kv-one"), vault_id(NEIGHBOUR, "kv-two"))
SCOPES = (
    "/",
    ROOT_GROUP,
    MIDDLE_GROUP,
    f"/subscriptions/{SUBSCRIPTION}",
    GROUP,
    NEIGHBOUR,
    *VAULTS,
    f"{VAULTS[0]}/secrets/Alpha",
)
CUSTOM = {
    "77777777-7777-7777-7777-000000000001": [
        {
            "actions": ["*"],
            "notActions": [],
            "dataActions": ["Microsoft.KeyVault/vaults/secrets/*"],
            "notDataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
        },
        {"actions": [], "notActions": [], "dataActions": ["*/READ"], "notDataActions": []},
    ],
    "77777777-7777-7777-7777-000000000002": [
        {"dataActions": ["Microsoft.KeyVault/vaults/*/action"], "notDataActions": ["*/purge/*"]}
    ],
    "77777777-7777-7777-7777-000000000003": [{"actions": ["*"], "dataActions": []}],
}
ROLES = (
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "4633458b-17de-408a-b874-0445c86b69e6",
    "21090545-7ca7-4776-b22c-e363652d74d2",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    *CUSTOM,
)
CONDITION = (
    "((!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/getSecret/action'})) OR "
    "(@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'Alpha'))"
)
holders = st.sampled_from(USERS + GROUPS + WORKLOADS)


@st.composite
def assignments(draw: st.DrawFn) -> dict[str, Any]:
    scope = draw(st.sampled_from(SCOPES))
    name = str(uuid.UUID(int=draw(st.integers(0, 2**64))))
    return {
        "id": f"{'' if scope == '/' else scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "properties": {
            "scope": draw(st.sampled_from((scope, scope.upper() if scope != "/" else scope))),
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{draw(st.sampled_from(ROLES))}",
            "principalId": draw(holders),
            "condition": draw(st.sampled_from((None, None, None, CONDITION))),
        },
    }


@st.composite
def denies(draw: st.DrawFn) -> dict[str, Any]:
    scope = draw(st.sampled_from(SCOPES[:-1]))
    name = str(uuid.UUID(int=draw(st.integers(0, 2**64))))
    everyone = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    return {
        "id": f"{'' if scope == '/' else scope}/providers/Microsoft.Authorization/denyAssignments/{name}",
        "name": name,
        "properties": {
            "denyAssignmentName": "deny",
            "scope": scope,
            "doNotApplyToChildScopes": draw(st.sampled_from((False, False, True))) and scope not in VAULTS,
            "denyAssignmentEffect": draw(st.sampled_from(("enforced", "enforced", "audit"))),
            "principals": draw(
                st.lists(st.one_of(st.just(everyone), holders.map(lambda item: {"id": item})), min_size=1, max_size=2)
            ),
            "excludePrincipals": draw(st.lists(holders.map(lambda item: {"id": item}), max_size=2)),
            "permissions": [
                {
                    "dataActions": [draw(st.sampled_from(("Microsoft.KeyVault/vaults/secrets/*", "*/read", "*")))],
                    "notDataActions": draw(st.sampled_from(([], ["*/delete"]))),
                }
            ],
        },
    }


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "tenantId": draw(st.sampled_from((TENANT, TENANT, TENANT, "22222222-2222-2222-2222-222222222222"))),
        "objectId": draw(holders),
        "permissions": {
            "secrets": draw(st.lists(st.sampled_from(("get", "List", "SET", "all", "purge", "teleport")), max_size=3)),
            "keys": draw(
                st.lists(st.sampled_from(("wrapKey", "UNWRAPKEY", "all", "get", "getrotationpolicy")), max_size=2)
            ),
            "certificates": draw(st.lists(st.sampled_from(("all", "manageissuers", "get")), max_size=2)),
        },
    }
    return entry


@st.composite
def schedules(draw: st.DrawFn, *, most: int) -> dict[str, dict[str, Any]]:
    """Instances of PIM for Groups: somebody may activate membership of a group, or has."""
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(USERS + GROUPS)), max_size=most, unique=True)
    )
    return {
        f"{group}_member_{who}": {
            "id": f"{group}_member_{who}",
            "groupId": group,
            "principalId": who,
            "accessId": "member",
            "memberType": "direct",
            "startDateTime": "2020-01-01T00:00:00Z",
            "endDateTime": draw(st.sampled_from((None, "2090-01-01T00:00:00Z"))),
        }
        for group, who in pairs
    }


@st.composite
def lab_estates(draw: st.DrawFn) -> LabEstate:
    estate = LabEstate(home_tenant=TENANT, role_definitions={key: _ROLE_DEFINITIONS[key] for key in ROLES})
    estate.subscriptions[SUBSCRIPTION] = {"subscriptionId": SUBSCRIPTION, "tenantId": TENANT}
    estate.management_groups = {
        "root": {"id": ROOT_GROUP, "name": "root", "parent": None},
        "middle": {"id": MIDDLE_GROUP, "name": "middle", "parent": "root"},
    }
    estate.subscription_parent[SUBSCRIPTION] = "middle"
    for user in USERS:
        estate.users[user] = {"id": user}
    for workload in WORKLOADS:
        estate.service_principals[workload] = {"id": workload, "appId": workload.replace("6666", "9999")}
    for group in GROUPS:
        estate.groups[group] = {"id": group}
        estate.members[group] = draw(st.lists(st.sampled_from(USERS + GROUPS + WORKLOADS), max_size=3, unique=True))
    estate.group_assignment_schedule_instances = draw(schedules(most=1))
    estate.group_eligibility_schedule_instances = draw(schedules(most=2))
    for identity in VAULTS:
        properties: dict[str, Any] = {"tenantId": TENANT, "accessPolicies": draw(st.lists(policies(), max_size=3))}
        flag = draw(st.sampled_from((True, True, False, None, "absent")))
        if flag != "absent":
            properties["enableRbacAuthorization"] = flag
        estate.vaults[fold(identity)] = {"id": identity, "name": identity.rsplit("/", 1)[-1], "properties": properties}
    for item in draw(st.lists(assignments(), max_size=6)):
        estate.role_assignments[fold(item["id"])] = item
    for item in draw(st.lists(denies(), max_size=2)):
        estate.deny_assignments[fold(item["id"])] = item
    return estate


def _custom(guid: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    properties = {"roleName": guid, "type": "CustomRole", "permissions": blocks, "assignableScopes": ["/"]}
    return {"id": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}", "name": guid, "properties": properties}


_ROLE_DEFINITIONS = {**builtin_role_definitions(), **{guid: _custom(guid, blocks) for guid, blocks in CUSTOM.items()}}


def parsed(lab: LabEstate) -> Estate:
    """What a perfect collection of the lab's estate would hold."""
    listing = f"/subscriptions/{SUBSCRIPTION}"

    def records(kind: str, store: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(by_kind()[kind].parse(raw, listing) for raw in store.values())

    world = World(lab)
    kinds = (
        "role_assignments",
        "role_definitions",
        "deny_assignments",
        "role_eligibility_schedule_instances",
        "role_assignment_schedule_instances",
        "vaults",
    )
    principals = {
        **{item: Principal(item, "User") for item in USERS},
        **{item: Principal(item, "Group") for item in GROUPS},
        **{item: Principal(item, "ServicePrincipal") for item in WORKLOADS},
    }
    group_kinds = ("group_eligibility_schedule_instances", "group_assignment_schedule_instances")
    return Estate(
        tenant_id=TENANT,
        group_schedule_instances=tuple(item for kind in group_kinds for item in records(kind, getattr(lab, kind))),
        subscriptions=records("subscriptions", lab.subscriptions),
        vaults=records("vaults", lab.vaults),
        role_assignments=records("role_assignments", lab.role_assignments),
        role_definitions={item.name: item for item in records("role_definitions", lab.role_definitions)},
        deny_assignments=records("deny_assignments", lab.deny_assignments),
        principals=principals,
        memberships=tuple(
            Membership(group, member, principals[member].type)
            for group, members in lab.members.items()
            for member in members
            if member not in WORKLOADS
        ),
        member_of={item: tuple(sorted(world.groups_of(item))) for item in WORKLOADS},
        listings=(
            *(Listing(kind, listing, 0) for kind in kinds),
            *(Listing(kind, f"groups/{group}", 0) for group in GROUPS for kind in ("group_members", *group_kinds)),
            Listing("service_principals", "servicePrincipals", 0),
            *(Listing("service_principal_groups", f"servicePrincipals/{item}", 0) for item in WORKLOADS),
        ),
    )


def is_open(lab: LabEstate) -> bool:
    """Whether something in the estate may leave an answer open."""
    texts = [raw["properties"].get("condition") for raw in lab.role_assignments.values()]
    on_objects = any("/secrets/" in raw["properties"]["scope"].casefold() for raw in lab.role_assignments.values())
    return any(texts) or on_objects or bool(lab.group_eligibility_schedule_instances)


def everything_activated(lab: LabEstate) -> World:
    """The same estate, after everybody activated every membership that is open to them."""
    active = {**lab.group_assignment_schedule_instances, **lab.group_eligibility_schedule_instances}
    return World(replace(lab, group_assignment_schedule_instances=active, group_eligibility_schedule_instances={}))


SEEN: Counter[tuple[Answer, bool]] = Counter()


@settings(max_examples=150)
@given(lab_estates())
def test_every_answer_is_the_labs_too(lab: LabEstate) -> None:
    world, activated = World(lab), everything_activated(lab)
    access = Access(parsed(lab))
    for vault in access.estate.vaults:
        raw = lab.vaults[vault.scope]
        for person in PEOPLE:
            caller, after = world.caller_for(person), activated.caller_for(person)
            for ref in (None, ObjectRef("secrets", "ALPHA")):
                for operation in operations():
                    if ref is not None and (operation.kind != "secrets" or operation.vault_only):
                        continue
                    answer = access.can(person, operation, vault, ref).answer
                    allowed = decide_data(world, caller, operation.word, raw, ref.name if ref else None).allowed
                    SEEN[answer, allowed] += 1
                    where = (person, operation.word, vault.name, str(ref), answer)
                    if answer is Answer.ALLOWED:
                        assert allowed, where
                    elif answer is Answer.DENIED:
                        assert not allowed, where
                    else:
                        assert is_open(lab), where
                    if lab.deny_assignments:
                        continue  # whoever activates a membership gets its denies too
                    later = decide_data(activated, after, operation.word, raw, ref.name if ref else None).allowed
                    assert later or answer is not Answer.ALLOWED, where
                    assert not later or answer is not Answer.DENIED, where
                    if answer is Answer.CONDITIONAL and not later:
                        assert any(item["properties"].get("condition") for item in lab.role_assignments.values()), where
