"""What is told beside an answer: each note with a near miss, an estate that differs in one thing and does not tell it."""

from dataclasses import replace
from typing import Any

import pytest
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
    guid,
    management_group,
    policy,
    secret,
    user,
    vault,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, ScheduleInstance
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.identities import DelegatedAuthorization, Delegation
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import NetworkAcls, ObjectRef, Vault

READ = operation("secrets/get")
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
ANNA, BERT = user("anna"), user("bert")
OPEN: dict[str, Any] = {"public_network_access": "Enabled", "network_acls": None}
KV = vault("kv-app", **OPEN)
OWNED = vault("kv-app", policy(BERT, secrets="list"), **OPEN)
ROLE = "Key Vault Secrets User"
REFUSED = gap("delegated_permissions", f"servicePrincipals/{guid('key-vault')}")
RELAXED = vault("kv-app", public_network_access=None, network_acls=NetworkAcls(None, None))


def notes(*items: Item, about: Vault = KV, ref: str | None = None, who: str = ANNA.id) -> set[str]:
    """The notes to the answer about Anna, without those about what was read."""
    access = Access(estate(ANNA, BERT, *items) if about in items else estate(ANNA, BERT, about, *items))
    decision = access.can(who, READ, about, ObjectRef("secrets", ref) if ref else None)
    return {note for note in decision.notes if not note.startswith("read: ")}


def active(where: str) -> ScheduleInstance:
    return ScheduleInstance("/active/1", where, assignment("Reader", BERT).role, BERT.id, eligible=False)


UNDOCUMENTED = (
    "eligibility was listed at the subscription, and whether Azure shows there what stands on a resource group or vault is "
    "not documented: none was shown"
)
LIGHTHOUSE = "through Azure Lighthouse, which gives no access to secrets, keys and certificates of itself"
FIREWALL = "the vault's firewall admits only the networks in its rules"
CLOSED = "public network access is disabled: only private endpoints and trusted services reach the vault"


def lighthouse(where: str, tenant: str | None = OTHER_TENANT, who: str = "partner") -> Delegation:
    return Delegation("/delegations/1", where, tenant, None, (DelegatedAuthorization(guid(who), guid("reader")),))


@pytest.mark.parametrize(
    ("told", "items"),
    [
        (UNDOCUMENTED, ()),
        (UNDOCUMENTED, (eligible("Reader", BERT),)),
        (UNDOCUMENTED, (eligible("Reader", BERT, management_group("corp")),)),
        (UNDOCUMENTED, (active(RESOURCE_GROUP.casefold()),)),
        (None, (eligible("Reader", BERT, RESOURCE_GROUP),)),
        (None, (eligible("Reader", BERT, KV),)),
    ],
)
def test_eligibility_below_a_subscription(told: str | None, items: tuple[Item, ...]) -> None:
    assert notes(*items) == ({told} if told else set())


SHOWN = eligible("Reader", BERT, RESOURCE_GROUP)


@pytest.mark.parametrize(
    ("told", "items"),
    [
        (f"this principal acts from tenant {OTHER_TENANT} {LIGHTHOUSE}", (lighthouse(SUBSCRIPTION, who="anna"),)),
        (f"this principal acts from tenant that was not read {LIGHTHOUSE}", (lighthouse(SUBSCRIPTION, None, "anna"),)),
        (None, (lighthouse(SUBSCRIPTION),)),
        (None, (lighthouse(f"{RESOURCE_GROUP}-other".casefold(), who="anna"),)),
    ],
)
def test_delegations_are_told_to_whom_they_name(told: str | None, items: tuple[Item, ...]) -> None:
    assert notes(SHOWN, *items) == ({told} if told else set())
    access = Access(estate(KV, SHOWN, *items))
    everybody = access.who_can(READ, KV).notes
    if "rg-app-other" in str(items):
        assert everybody == ()
    else:
        assert [note.split(" tenant ")[0] for note in everybody] == ["the subscription is delegated to"]


def test_a_delegation_that_writes_vaults_matters_where_vaults_hold_the_policies() -> None:
    for where, level in ((SUBSCRIPTION, "subscription"), (RESOURCE_GROUP.casefold(), "resource group")):
        (told, *_) = Access(estate(OWNED, lighthouse(where))).who_can(READ, OWNED).notes
        assert told == (
            f"the {level} is delegated to tenant {OTHER_TENANT} {LIGHTHOUSE}; a delegated role that writes vaults can edit "
            "these access policies"
        )


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (KV, None),
        (RELAXED, None),
        (replace(RELAXED, network_acls=NetworkAcls("AzureServices", "Deny")), FIREWALL),
        (
            replace(RELAXED, network_acls=NetworkAcls("AzureServices", "deny"), public_network_access="Enabled"),
            FIREWALL,
        ),
        (replace(KV, public_network_access="disabled"), CLOSED),
        (replace(KV, public_network_access="Disabled", network_acls=NetworkAcls("None", "Deny")), CLOSED),
    ],
)
def test_the_network(about: Vault, told: str | None) -> None:
    assert notes(SHOWN, about=about) == ({told} if told else set())


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        ((), None),
        (("Reader",), None),
        ((ROLE,), "1 role assignment that names secrets/get is"),
        ((ROLE, "Key Vault Administrator"), "2 role assignments that name secrets/get are"),
    ],
)
def test_roles_on_access_policies(grants: tuple[str, ...], told: str | None) -> None:
    found = notes(*(assignment(name, BERT, RESOURCE_GROUP) for name in grants), about=OWNED)
    assert found == ({f"{told} without effect: the vault uses access policies"} if told else set())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_policies_on_azure_rbac_and_entries_of_another_tenant(count: int) -> None:
    entries = [policy(user(f"p{number}"), secrets="get", tenant=OTHER_TENANT) for number in range(count)]
    inert = notes(SHOWN, about=vault("kv-app", *entries, rbac=True, **OPEN))
    abroad = notes(about=vault("kv-app", *entries, rbac=False, **OPEN))
    some = {1: "1 access policy entry is", 2: "2 access policy entries are"}
    name = {1: "1 access policy entry names", 2: "2 access policy entries name"}
    tail = "without effect: the vault uses Azure RBAC; changing the model back revives them"
    assert inert == ({f"{some[count]} {tail}"} if count else set())
    grant = {1: "grants", 2: "grant"}
    other = "a tenant that is not the vault's and"
    assert abroad == ({f"{name[count]} {other} {grant[count]} nothing"} if count else set())


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ((secret(KV, "One"),), set()),
        (
            (replace(secret(KV, "One"), enabled=False),),
            {"secrets/One is disabled (enabled: false): secrets/get fails until it is enabled"},
        ),
        ((replace(secret(KV, "One"), enabled=None),), set()),
        ((replace(secret(KV, "two"), enabled=False),), set()),
        (
            (replace(secret(KV, "one"), ref=ObjectRef("certificates", "ONE"), enabled=False),),
            {"secrets/one holds the private key of the certificate of the same name"},
        ),
        ((replace(secret(KV, "one"), ref=ObjectRef("keys", "one"), enabled=False),), set()),
    ],
)
def test_objects(items: tuple[Item, ...], told: set[str]) -> None:
    assert notes(SHOWN, *items, ref="one") == told
    access = Access(estate(ANNA, KV, SHOWN, *items))
    listed = replace(access.estate, listings=(*access.estate.listings, Listing("secrets", KV.scope, 1)))
    absent = "the listing of secrets in this vault was read and does not hold one"
    names = {item.ref.name.casefold() for item in listed.objects if item.ref.kind == "secrets"}
    assert (absent in Access(listed).can(ANNA.id, READ, KV, ObjectRef("secrets", "one")).notes) is ("one" not in names)


def test_denies_that_only_audit_are_named_where_they_would_take_the_operation() -> None:
    tail = "and deny nothing: one; one public report says that some tenants enforce them all the same"
    watching = replace(deny(EVERYONE, KV, data_actions=(GET,), effect="Audit"), name="one")
    assert notes(SHOWN, watching) == {f"deny assignments with effect audit log secrets/get {tail}"}
    assert notes(SHOWN, replace(watching, permissions=deny(BERT, KV, data_actions=("x/*",)).permissions)) == set()
    assert notes(SHOWN, replace(watching, effect="enforced")) == set()


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (
            (assignment("Owner", BERT, "/"),),
            "1 record at / (elevated access) lets its holder take any role on this vault",
        ),
        (
            (assignment("Owner", BERT, "/"), assignment("User Access Administrator", ANNA, "/")),
            "2 records at / (elevated access) let their holders take any role on this vault",
        ),
        ((assignment("Contributor", BERT, "/"),), None),
        ((assignment("Owner", BERT, management_group("corp")),), None),
        ((eligible("Owner", BERT, "/", end="2026-01-01T00:00:00Z"),), None),
        ((assignment(guid("lost"), BERT, "/"),), None),
    ],
)
def test_the_root(items: tuple[Item, ...], told: str | None) -> None:
    tree = (HierarchyNode(management_group("corp"), None), HierarchyNode(SUBSCRIPTION, management_group("corp")))
    assert {note for note in notes(SHOWN, *tree, *items) if "at /" in note} == ({told} if told else set())
    assert not [note for note in notes(*tree, *items, about=OWNED) if "elevated" in note]


def test_records_at_the_root_that_an_answer_cites() -> None:
    said = "above every management group: elevated access, or made with it"
    for people, told in (
        ((ANNA,), "1 of the records cited stands at /"),
        ((ANNA, BERT), "2 of the records cited stand at /"),
    ):
        found = Access(estate(ANNA, BERT, KV, SHOWN, *(assignment(ROLE, who, "/") for who in people)))
        assert f"{told}, {said}" in found.who_can(READ, KV).notes
        kept = deny(EVERYONE, "/", data_actions=(GET,))
        denied = Access(replace(found.estate, deny_assignments=(kept,))).can(ANNA.id, READ, KV)
        assert denied.answer.value == "denied"
        assert not [note for note in denied.notes if "cited" in note]


def test_what_is_not_assessed_is_one_line() -> None:
    ops, team = group("ops"), group("team")
    base = estate(ANNA, KV, SHOWN, ops, team, assignment(ROLE, ops, KV), REFUSED)
    kinds = ("group_eligibility_schedule_instances", "group_assignment_schedule_instances")
    asked = replace(base, listings=(*base.listings, *(Listing(kind, f"groups/{ops.id}", 0) for kind in kinds)))
    consents = "which applications users consented to for Key Vault"
    for found, told in (
        (base, f"not assessed: who is eligible for membership of ops (PIM for Groups); {consents}"),
        (asked, f"not assessed: {consents}"),
    ):
        assert Access(found).can(ANNA.id, READ, KV).notes[-1] == told
        assert Access(found).who_can(READ, KV).notes[-1] == told


def test_what_was_read_is_told_where_nothing_is_cited() -> None:
    base = estate(ANNA, KV, SHOWN, *(HierarchyNode(management_group("corp"), None),))
    tree = (HierarchyNode(SUBSCRIPTION, management_group("corp")), HierarchyNode(management_group("corp"), None))
    for found, levels in (
        (base, "root, subscription"),
        (replace(base, hierarchy=tree), "root, management group, subscription"),
    ):
        (told,) = Access(found).can(ANNA.id, READ, KV).notes
        assert told == (
            f"read: role assignments at {SUBSCRIPTION}; none of those that reach it ({levels}, resource group, resource) "
            "gives it"
        )
    (told,) = Access(estate(ANNA, OWNED)).can(ANNA.id, READ, OWNED).notes
    assert told == "read: the 1 access policy entry of the vault; none gives it"
