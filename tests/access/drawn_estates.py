"""Small estates drawn at random, crowded on purpose: few principals, nested groups, every kind of record and gap."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from kvaudit.model.authorization import (
    EVERYONE,
    DenyAssignment,
    DenyPrincipal,
    Permission,
    RoleAssignment,
    RoleDefinition,
    ScheduleInstance,
)
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.identities import GroupScheduleInstance
from kvaudit.model.vaults import AccessPolicy, ObjectRef, PermissionModel, PermissionModelSource, Vault

TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
OTHER = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
SUBSCRIPTION_ID = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
GROUP = "/providers/microsoft.management/managementgroups/mg-contoso"
RG = f"{SUBSCRIPTION}/resourcegroups/rg-payments"
VAULT = f"{RG}/providers/microsoft.keyvault/vaults/kv-contoso"
SECRET = ObjectRef("secrets", "db-password")
SCOPES = ("/", GROUP, SUBSCRIPTION, RG, VAULT, f"{VAULT}/secrets/db-password", f"{RG}0", f"{VAULT}2")

PAST, NOW, LATER = "2026-11-01T00:00:00Z", "2026-11-24T04:00:00Z", "2026-12-31T00:00:00Z"
USERS = ("anna", "bert", "carl")
GROUPS = ("ops", "team", "all")
PEOPLE = (*USERS, "guest", "robot", *GROUPS, "partner", "stranger", "form")
"""Everybody: `robot` is a service principal, `partner` a foreign group, `stranger` unresolved, `form` a registration."""

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
READER = "21090545-7ca7-4776-b22c-e363652d74d2"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
LOST, ODD, CONDITIONED = "lost", "odd", "conditioned"
ROLES = (SECRETS_USER, SECRETS_OFFICER, READER, OWNER, LOST, ODD, CONDITIONED)
NAMED = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'db-password'"
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
DEFINITIONS = {
    ODD: RoleDefinition(
        ODD, ODD, "Odd", permissions=(Permission(data_actions=("Microsoft.KeyVault/vaults/*/secrets/*",)),)
    ),
    CONDITIONED: RoleDefinition(
        CONDITIONED, CONDITIONED, "Conditioned", permissions=(Permission(data_actions=(GET,), condition=NAMED),)
    ),
}
TYPES = {**dict.fromkeys(USERS, "User"), **dict.fromkeys(GROUPS, "Group"), "guest": "User", "robot": "ServicePrincipal"}
TYPES |= {"form": "Application", "partner": "ForeignGroup"}
DIRECTORY = {
    **{name: Principal(name, kind) for name, kind in TYPES.items() if name != "partner"},
    "guest": Principal("guest", "User", user_type="Guest"),
    "partner": Principal("partner", "ForeignGroup", state=PrincipalState.FOREIGN),
}
GRANTEES = (*USERS, "guest", "robot", *GROUPS, "partner", "form")


@st.composite
def assignments(draw: st.DrawFn, number: int = 0) -> RoleAssignment:
    """A role assignment, listed from the subscription."""
    who = draw(st.sampled_from(GRANTEES))
    return RoleAssignment(
        id=f"/assignments/{number}",
        scope=draw(st.sampled_from(SCOPES)),
        role=draw(st.sampled_from(ROLES)),
        principal_id=who,
        principal_type=TYPES[who],
        condition=draw(st.sampled_from((None, None, None, NAMED))),
        listed_from=frozenset({SUBSCRIPTION}),
    )


@st.composite
def denies(draw: st.DrawFn, number: int = 0) -> DenyAssignment:
    """A deny assignment."""
    names = draw(st.lists(st.sampled_from((EVERYONE, *GRANTEES)), min_size=1, max_size=2, unique=True))
    spared = draw(st.lists(st.sampled_from(GRANTEES), max_size=2, unique=True))
    patterns = draw(st.sampled_from(((GET,), ("Microsoft.KeyVault/*",), ("Microsoft.KeyVault/vaults/*/secrets/*",))))
    return DenyAssignment(
        id=f"/denies/{number}",
        name="deny",
        scope=draw(st.sampled_from(SCOPES)),
        permissions=(Permission(data_actions=patterns, actions=("Microsoft.KeyVault/*",)),),
        principals=tuple(DenyPrincipal(name) for name in names),
        exclude_principals=tuple(DenyPrincipal(name) for name in spared),
        do_not_apply_to_child_scopes=draw(st.booleans()),
        effect=draw(st.sampled_from(("enforced", "enforced", "audit", None))),
        condition=draw(st.sampled_from((None, None, NAMED))),
        listed_from=frozenset({SUBSCRIPTION}),
    )


@st.composite
def eligible(draw: st.DrawFn, number: int = 0) -> ScheduleInstance:
    """An eligible assignment."""
    who = draw(st.sampled_from(GRANTEES))
    return ScheduleInstance(
        id=f"/eligible/{number}",
        scope=draw(st.sampled_from(SCOPES)),
        role=draw(st.sampled_from(ROLES)),
        principal_id=who,
        eligible=True,
        principal_type=TYPES[who],
        listed_from=frozenset({SUBSCRIPTION}),
    )


@st.composite
def eligible_members(draw: st.DrawFn, number: int = 0) -> GroupScheduleInstance:
    """Somebody is eligible for membership of a group, or for ownership, which is none."""
    return GroupScheduleInstance(
        id=f"eligible-{number}",
        group=draw(st.sampled_from(GROUPS)),
        principal_id=draw(st.sampled_from((*USERS, "guest", *GROUPS))),
        access=draw(st.sampled_from(("member", "member", "member", "owner"))),
        eligible=True,
        end=draw(st.sampled_from((None, LATER, PAST))),
    )


def _activated(draw: st.DrawFn, edges: list[tuple[str, str]]) -> tuple[GroupScheduleInstance, ...]:
    """Some memberships are there for a time: they show as active instances too."""
    chosen = draw(st.lists(st.sampled_from(edges), max_size=1)) if edges else []
    return tuple(
        GroupScheduleInstance("active", group, member, "member", eligible=False, end=LATER) for group, member in chosen
    )


@st.composite
def policies(draw: st.DrawFn) -> AccessPolicy:
    """An entry of the access policies."""
    return AccessPolicy(
        tenant_id=draw(st.sampled_from((TENANT, TENANT, TENANT, OTHER))),
        object_id=draw(st.sampled_from((*GRANTEES, "stranger"))),
        application_id=draw(st.sampled_from((None, None, "app"))),
        secrets=draw(st.sampled_from((("get",), ("get", "list"), ("all",), ("purge",), ("nonsense",)))),
    )


@st.composite
def vaults(draw: st.DrawFn) -> Vault:
    """The vault of every estate, mostly on Azure RBAC."""
    model = draw(st.sampled_from((*[PermissionModel.AZURE_RBAC] * 5, *[PermissionModel.ACCESS_POLICIES] * 3, None)))
    return Vault(
        id=VAULT.replace("/vaults/kv", "/vaults/KV"),
        name="KV-contoso",
        tenant_id=draw(st.sampled_from((*[TENANT] * 9, OTHER))),
        permission_model=model,
        permission_model_source=PermissionModelSource.EXPLICIT if model else None,
        access_policies=draw(
            st.one_of(st.lists(policies(), max_size=4).map(tuple), st.none() if model else st.just(()))
        ),
    )


def _numbered(draw: st.DrawFn, make: Any, most: int) -> tuple[Any, ...]:
    return tuple(draw(make(number)) for number in range(draw(st.integers(0, most))))


def _closed(groups: list[str], edges: list[tuple[str, str]]) -> tuple[str, ...]:
    """These groups and every group that they are in: Graph's `transitiveMemberOf` never names one without the others."""
    found = list(groups)
    for inner in found:
        found.extend(outer for outer, member in edges if member == inner and outer not in found)
    return tuple(found)


@st.composite
def joinable(draw: st.DrawFn) -> Estate:
    """An estate in which a group reads secrets, somebody may become a member of it or of one that a deny spares, and little else."""
    estate = draw(estates(gaps=draw(st.booleans()), few=True))
    group, other = draw(st.permutations(GROUPS))[:2]
    spared = draw(st.sampled_from(((), (), (DenyPrincipal(other),), (DenyPrincipal(group),))))
    deny = DenyAssignment(
        "/denies/8",
        "deny",
        SUBSCRIPTION,
        permissions=(Permission(data_actions=(GET,)),),
        principals=(DenyPrincipal(draw(st.sampled_from((EVERYONE, group, other, "anna")))),),
        exclude_principals=spared,
        effect="enforced",
    )
    holder = draw(st.sampled_from((group, group, "anna")))
    joins = draw(
        st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from((*USERS, *GROUPS))), min_size=1, max_size=3)
    )
    return replace(
        estate,
        vaults=(replace(estate.vaults[0], tenant_id=TENANT, permission_model=PermissionModel.AZURE_RBAC),),
        role_assignments=(RoleAssignment("/assignments/8", VAULT, SECRETS_USER, holder, TYPES[holder]),),
        deny_assignments=(deny,) if draw(st.booleans()) else (),
        group_schedule_instances=tuple(
            GroupScheduleInstance(f"eligible-{number}", outer, inner, "member", eligible=True)
            for number, (outer, inner) in enumerate(dict.fromkeys(joins))
        ),
    )


@st.composite
def estates(draw: st.DrawFn, *, gaps: bool = True, few: bool = False) -> Estate:
    """An estate. With `gaps`, listings are missing too; with `few`, no records but the directory's."""
    edges = draw(
        st.lists(
            st.tuples(st.sampled_from(GROUPS), st.sampled_from((*USERS, "guest", *GROUPS))), max_size=6, unique=True
        )
    )
    asked = draw(st.booleans()) if gaps else True
    listings = [
        Listing(kind, SUBSCRIPTION, 0)
        for kind in ("role_assignments", "deny_assignments", "role_eligibility_schedule_instances")
    ]
    for kind in ("group_members", "group_eligibility_schedule_instances", "group_assignment_schedule_instances"):
        listings.extend(Listing(kind, f"groups/{name}", 0) for name in GROUPS)
    listings.append(Listing("service_principals", "servicePrincipals", 0))
    estate = Estate(
        tenant_id=TENANT,
        collected_at=NOW,
        subscriptions=(Subscription(SUBSCRIPTION_ID, tenant_id=TENANT),),
        hierarchy=(HierarchyNode(GROUP, None), HierarchyNode(SUBSCRIPTION, GROUP)),
        vaults=(draw(vaults()),),
        role_assignments=() if few else _numbered(draw, assignments, 4),
        role_definitions=DEFINITIONS,
        deny_assignments=() if few else _numbered(draw, denies, 2),
        schedule_instances=() if few else _numbered(draw, eligible, 1),
        principals=DIRECTORY,
        memberships=tuple(Membership(group, member, TYPES[member]) for group, member in edges if group != member),
        member_of={"robot": _closed(draw(st.lists(st.sampled_from(GROUPS), max_size=2, unique=True)), edges)}
        if asked
        else {},
        listings=tuple(listings),
        group_schedule_instances=(*_numbered(draw, eligible_members, 2), *_activated(draw, edges)),
    )
    if not gaps:
        return estate
    for listing in draw(st.lists(st.sampled_from(listings), max_size=2, unique=True)):
        estate = without(estate, listing)
    return estate


def without(estate: Estate, listing: Listing) -> Estate:
    """The same estate when this listing had failed: its records are gone, and a gap stands in their place."""
    kind, scope = listing.kind, listing.scope
    changes: dict[str, Any] = {
        "listings": tuple(item for item in estate.listings if item != listing),
        "gaps": (*estate.gaps, Gap(kind, scope, "could not be read", status=403)),
    }
    if kind == "group_members":
        group = scope.partition("/")[2]
        changes["memberships"] = tuple(item for item in estate.memberships if item.group != group)
    elif kind.startswith("group_"):
        group, is_eligible = scope.partition("/")[2], kind == "group_eligibility_schedule_instances"
        changes["group_schedule_instances"] = tuple(
            item for item in estate.group_schedule_instances if (item.group, item.eligible) != (group, is_eligible)
        )
    elif kind == "role_eligibility_schedule_instances":
        changes["schedule_instances"] = ()
    elif kind in ("role_assignments", "deny_assignments"):
        changes[kind] = ()
    return replace(estate, **changes)
