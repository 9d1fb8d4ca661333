"""One small estate in which everything that access knows stands once, for the golden of rendered answers."""

from dataclasses import replace

from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    guest,
    guid,
    management_group,
    orphan,
    policy,
    role,
    secret,
    user,
    vault,
    workload,
)

from kvaudit.access.consents import KEY_VAULT
from kvaudit.model.authorization import EVERYONE, DenyPrincipal, ScheduleInstance
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.identities import DelegatedAuthorization, DelegatedPermission, Delegation, GroupScheduleInstance
from kvaudit.model.vaults import NetworkAcls, ObjectRef, Vault, VaultObject

GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
SIGN = "Microsoft.KeyVault/vaults/keys/sign/action"
NAME = "@Resource[Microsoft.KeyVault/vaults/secrets:name]"
VAULT = "@Resource[Microsoft.KeyVault/vaults:name]"
CORP, APPS = management_group("corp"), management_group("apps")

PEOPLE = {
    name: user(name)
    for name in ("anna", "carl", "dora", "fred", "gina", "hans", "ines", "jack", "kurt", "lena", "olaf", "ruth")
}
PEOPLE |= {
    "bert": user("bert", account_enabled=False),
    "emil": guest("emil"),
    "form": Principal(guid("form"), "Application", display_name="form"),
    "gone": orphan("gone"),
    "back": replace(user("back"), state=PrincipalState.DELETED_RESTORABLE),
    "abroad": Principal(guid("abroad"), "ForeignGroup", PrincipalState.FOREIGN, display_name="abroad"),
    "mist": Principal(guid("mist"), state=PrincipalState.UNRESOLVED),
    "robot": workload("robot"),
    "portal": workload("portal"),
    "tool": workload("tool"),
    "key-vault": workload("key-vault", app_id=KEY_VAULT),
}
INNER = group("inner", PEOPLE["fred"])
OPS = group("ops", PEOPLE["carl"], INNER)
VEILED = group("veiled", is_read=False)
WRITERS = group("writers", PEOPLE["anna"])
GROUPS = (INNER, OPS, VEILED, WRITERS)

ANNA, BERT, CARL, DORA = (PEOPLE[name] for name in ("anna", "bert", "carl", "dora"))

APP = vault("kv-app", policy(WRITERS, secrets="get list"), rbac=True, public_network_access="Enabled")
MORE = vault(
    "kv-more",
    policy(ANNA, secrets="get"),
    policy(BERT, keys="sign"),
    rbac=True,
    id=f"{SUBSCRIPTION}/resourceGroups/rg-more/providers/Microsoft.KeyVault/vaults/kv-more",
)
POLICIES = vault(
    "kv-policies",
    policy(ANNA, secrets="get list"),
    policy(OPS, secrets="all"),
    policy(BERT, secrets="get", application=guid("portal")),
    policy(DORA, secrets="get", tenant=OTHER_TENANT),
    policy(PEOPLE["emil"], secrets="get", tenant=None),
    policy(PEOPLE["form"], secrets="get"),
    policy(PEOPLE["robot"], secrets="peek", keys="sign"),
    policy(VEILED, secrets="get", application=guid("tool")),
    policy(PEOPLE["form"], secrets="list", application=guid("portal")),
    public_network_access="Enabled",
    network_acls=NetworkAcls("AzureServices", "Allow"),
)
FOREIGN = vault("kv-foreign", tenant_id=OTHER_TENANT, public_network_access="Enabled", network_acls=None)
UNREAD = Vault(
    id=f"{RESOURCE_GROUP}/providers/Microsoft.KeyVault/vaults/kv-unread",
    name="kv-unread",
    access_policies=(policy(ANNA, secrets="get"),),
)

OBJECTS = (
    secret(APP, "DB-Password"),
    replace(secret(APP, "old"), enabled=False),
    VaultObject(APP.scope, ObjectRef("certificates", "tls"), enabled=True),
    secret(APP, "tls"),
)
DB = f"{APP.id}/secrets/db-password"

GRANTS: tuple[Item, ...] = (
    assignment("Owner", PEOPLE["ruth"], "/"),
    assignment("Key Vault Secrets User", PEOPLE["ruth"], "/"),
    assignment("Key Vault Administrator", OPS, CORP),
    assignment("Key Vault Secrets Officer", BERT, condition=f"{NAME} StringStartsWith 'db-'"),
    assignment("Key Vault Administrator", PEOPLE["olaf"], condition=f"{VAULT} StringEqualsIgnoreCase 'KV-App'"),
    assignment("Contributor", ANNA),
    assignment(role("odd", data_actions=("Microsoft.KeyVault/vaults/*/secrets/getSecret/*",)), PEOPLE["emil"]),
    assignment(guid("lost"), PEOPLE["robot"], RESOURCE_GROUP),
    assignment("Key Vault Reader", CARL, RESOURCE_GROUP),
    *(assignment("Key Vault Secrets User", PEOPLE[name], APP) for name in ("gone", "back", "abroad", "form")),
    assignment("Key Vault Crypto User", VEILED, APP),
    *(assignment("Key Vault Secrets User", who, MORE) for who in (WRITERS, PEOPLE["mist"])),
    assignment("Key Vault Secrets User", PEOPLE["jack"], f"{APP.id}/secrets/old"),
    assignment("Key Vault Secrets Officer", PEOPLE["hans"], DB),
    assignment("Key Vault Secrets User", PEOPLE["kurt"], APP),
    assignment("Key Vault Certificate User", PEOPLE["lena"], f"{APP.id}/certificates/tls"),
    eligible("Key Vault Secrets User", DORA, APP, end="2027-01-01T00:00:00Z"),
    eligible("Key Vault Secrets User", PEOPLE["ines"], APP, end="2026-01-01T00:00:00Z"),
    eligible("Key Vault Secrets User", PEOPLE["jack"], DB),
    role("odd", data_actions=("Microsoft.KeyVault/vaults/*/secrets/getSecret/*",)),
)
TIMED = (
    ScheduleInstance(
        "/timed/gina",
        APP.scope,
        assignment("Key Vault Secrets User", ANNA).role,
        PEOPLE["gina"].id,
        eligible=False,
        principal_type="User",
        start="2026-12-01T00:00:00Z",
        end="2026-12-31T00:00:00Z",
    ),
)
DENIES = (
    replace(deny(PEOPLE["kurt"], RESOURCE_GROUP, data_actions=(GET,)), name="closed"),
    replace(deny(BERT, SUBSCRIPTION, data_actions=(GET,), effect=None), name="unsure"),
    replace(deny(EVERYONE, CORP, data_actions=(GET,), effect="audit"), name="watching"),
    replace(
        deny(EVERYONE, APP, data_actions=(SIGN,), effect="enforced"),
        exclude_principals=(DenyPrincipal(OPS.id, "Group"),),
        name="signing",
    ),
    replace(deny(DORA, APP, data_actions=(GET,), effect=None), condition=f"{NAME} StringEquals 'x'", name="named"),
)
IDENTITIES = (
    GroupScheduleInstance("join-ops", OPS.id, DORA.id, "member", eligible=True, end="2027-06-01T00:00:00Z"),
    Delegation(
        "/delegations/partner",
        SUBSCRIPTION,
        OTHER_TENANT,
        "partner",
        (DelegatedAuthorization(guid("partner"), guid("reader")),),
    ),
    Delegation("/delegations/elsewhere", f"{SUBSCRIPTION}/resourcegroups/rg-none", None),
)
CONSENTS = (
    DelegatedPermission("c1", guid("portal"), "AllPrincipals", None, guid("key-vault"), ("user_impersonation",)),
    DelegatedPermission("c2", guid("tool"), "Principal", ANNA.id, guid("key-vault"), ("User_Impersonation", "x")),
    DelegatedPermission("c3", guid("tool"), "Principal", PEOPLE["kurt"].id, guid("key-vault"), ("other",)),
)
LISTED = (
    ("secrets", APP.scope),
    ("delegated_permissions", f"servicePrincipals/{guid('key-vault')}"),
    *((f"group_{kind}_schedule_instances", f"groups/{OPS.id}") for kind in ("eligibility", "assignment")),
)
TREE = (HierarchyNode(CORP, None), HierarchyNode(APPS, CORP), HierarchyNode(SUBSCRIPTION, APPS))


def contoso() -> Estate:
    """Everything was read but the members of one group."""
    items = (APP, MORE, POLICIES, FOREIGN, UNREAD, *PEOPLE.values(), *GROUPS, *GRANTS, *TIMED, *DENIES, *IDENTITIES)
    found = estate(*items, *OBJECTS, *TREE, gap("group_members", f"groups/{VEILED.id}"))
    listings = (*found.listings, *(Listing(kind, scope, 0) for kind, scope in LISTED))
    return replace(found, listings=listings, delegated_permissions=CONSENTS)


def contoso_hidden() -> Estate:
    """The same records, in a tenant that lets the reader see little: no tree, no list of the subscription, no consents."""
    gaps = (
        gap("role_assignments", management_group("other")),
        gap("deny_assignments", CORP),
        gap("vaults", "/subscriptions/44444444-4444-4444-4444-444444444444"),
        gap("vaults", UNREAD),
        gap("role_definitions", RESOURCE_GROUP),
        gap("group_members", "groups"),
    )
    listings = tuple(Listing("role_assignments", item.scope, 0) for item in (MORE, FOREIGN))
    return replace(
        contoso(),
        gaps=gaps,
        listings=listings,
        hierarchy=(),
        subscriptions=(),
        memberships=(),
        delegated_permissions=(),
    )
