"""What stands above a vault or an object and reaches it, what may, and what a gap there hides: near misses of one estate."""

from dataclasses import replace

import pytest
from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    SUBSCRIPTION_ID,
    TENANT,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    management_group,
    policy,
    user,
    vault,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import ScheduleInstance
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef

READ = operation("secrets/get")
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
ANNA, BERT = user("anna"), user("bert")
KV = vault("kv-app")
CORP, APPS, FAR = (management_group(name) for name in ("corp", "apps", "far"))
WHOLE = (HierarchyNode(CORP, None), HierarchyNode(APPS, CORP), HierarchyNode(SUBSCRIPTION, APPS))
ASSIGNED, ELIGIBLE, ACTIVE = (
    "role_assignments",
    "role_eligibility_schedule_instances",
    "role_assignment_schedule_instances",
)
DENIED = "deny_assignments"
KINDS = (ASSIGNED, ELIGIBLE, ACTIVE, DENIED)


def read_at(base: Estate, **places: str) -> Estate:
    """The estate with a kind listed at another place than the subscription."""
    listings = [Listing(kind, places.get(kind, SUBSCRIPTION), 0) for kind in KINDS]
    return replace(base, listings=(*listings, Listing("service_principals", "servicePrincipals", 0)))


def asked(found: Estate, who: str = ANNA.id, secret: str | None = None) -> tuple[str, list[tuple[str, str]]]:
    """The answer, and the kinds and scopes of the gaps that it names."""
    decision = Access(found).can(who, READ, KV, ObjectRef("secrets", secret) if secret else None)
    return decision.answer.value, [(item.kind, item.scope) for item in decision.gaps]


ROLE = "Key Vault Secrets User"
NOWHERE: frozenset[str] = frozenset()
RECORDS: dict[str, Item] = {
    ASSIGNED: assignment(ROLE, ANNA, FAR, listed_from=NOWHERE),
    ELIGIBLE: eligible(ROLE, ANNA, FAR, listed_from=NOWHERE),
    ACTIVE: ScheduleInstance("/active/1", FAR, assignment(ROLE, ANNA).role, ANNA.id, eligible=False),
}
TREE_GAP = [("management_groups", SUBSCRIPTION)]


@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize(
    ("listed", "tree", "expected"),
    [
        # the subscription's own list shows what it inherits: the record is not among it
        (SUBSCRIPTION, (), ("denied", [])),
        (KV.scope, (), ("unknown", TREE_GAP)),
        (KV.scope, WHOLE, ("denied", [])),
        (KV.scope, WHOLE[1:], ("unknown", TREE_GAP)),
        (KV.scope, WHOLE[:2], ("unknown", TREE_GAP)),
        (KV.scope, (WHOLE[0], WHOLE[2]), ("unknown", TREE_GAP)),
        (KV.scope, (HierarchyNode(FAR, None), HierarchyNode(SUBSCRIPTION, APPS), HierarchyNode(APPS, FAR)), None),
    ],
    ids=["listed", "no tree", "elsewhere in the tree", "no root", "no subscription", "a hole", "above"],
)
def test_a_record_at_a_management_group(
    kind: str, listed: str, tree: tuple[HierarchyNode, ...], expected: tuple[str, list[tuple[str, str]]] | None
) -> None:
    base = read_at(estate(ANNA, BERT, KV, RECORDS[kind], *tree), **{kind: listed})
    assert asked(base) == (expected or ("conditional" if kind == ELIGIBLE else "allowed", []))
    assert asked(base, BERT.id) == ("denied", [])
    holder = [item.principal_id for item in Access(base).who_can(READ, KV).holdings]
    assert holder == ([] if expected and expected[0] == "denied" else [ANNA.id])


def test_a_tree_that_nobody_asked_for_is_a_gap_that_says_what_reads_it() -> None:
    (told,) = Access(read_at(estate(ANNA, KV, RECORDS[ASSIGNED]), **{ASSIGNED: KV.scope})).can(ANNA.id, READ, KV).gaps
    assert told.permission == "Microsoft.Management/managementGroups/read"
    assert told.reason == "which management groups stand above this subscription was not read"


@pytest.mark.parametrize(
    ("asked_of", "trusted", "subscription", "answer"),
    [
        (TENANT, TENANT, TENANT, "allowed"),
        (TENANT, OTHER_TENANT, TENANT, "denied"),
        (TENANT, OTHER_TENANT, OTHER_TENANT, "allowed"),
        (TENANT, OTHER_TENANT, None, "unknown"),
        (TENANT, TENANT.upper(), None, "allowed"),
        (TENANT, None, None, "allowed"),
        (TENANT, None, OTHER_TENANT, "allowed"),
        (None, OTHER_TENANT, None, "allowed"),
        (None, OTHER_TENANT, TENANT, "denied"),
    ],
)
def test_the_tenant_that_a_vault_trusts_and_that_of_its_subscription(
    asked_of: str | None, trusted: str | None, subscription: str | None, answer: str
) -> None:
    kv = replace(KV, tenant_id=trusted)
    home = (Subscription(SUBSCRIPTION_ID, tenant_id=subscription),)
    found = estate(ANNA, kv, assignment(ROLE, ANNA, kv), tenant_id=asked_of, subscriptions=home)
    decision = Access(found).can(ANNA.id, READ, kv)
    assert decision.answer.value == answer
    assert [(item.kind, item.scope) for item in decision.gaps] == [("subscriptions", SUBSCRIPTION)] * (
        answer == "unknown"
    )
    missing = Access(replace(found, subscriptions=() if subscription is None else home))
    assert missing.can(ANNA.id, READ, kv).answer.value == answer


def test_the_gap_of_the_tree_is_told_where_there_is_one() -> None:
    known = gap("management_groups", "/providers/Microsoft.Management/managementGroups/corp")
    base = estate(ANNA, KV, RECORDS[ASSIGNED], gap("role_definitions"), known)
    assert asked(read_at(base, **{ASSIGNED: KV.scope})) == ("unknown", [(known.kind, known.scope)])


def test_a_record_that_the_subscription_lists_stands_above_it_and_is_near() -> None:
    """Without a tree, what the subscription's own list returned reaches it; a role without data is told as near."""
    base = read_at(
        estate(ANNA, KV, assignment("Owner", ANNA, FAR), assignment("Reader", ANNA, FAR, listed_from=NOWHERE))
    )
    access = Access(base)
    found = access.near_misses(access.can(ANNA.id, READ, KV), KV)
    assert [(item.why.value, item.citation.role) for item in found] == [("other_operations", "Owner")]


ON_A, ON_B = f"{KV.scope}/secrets/a", f"{KV.scope}/secrets/b"
OTHER_GROUP = RESOURCE_GROUP.replace("rg-app", "rg-application")


@pytest.mark.parametrize("kind", [ASSIGNED, ELIGIBLE, DENIED])
@pytest.mark.parametrize(
    ("where", "listed", "tree", "hidden"),
    [
        ("/", KV.scope, (), "vault a b"),
        ("batch", KV.scope, (), "vault a b"),
        (SUBSCRIPTION.upper(), KV.scope, (), "vault a b"),
        (RESOURCE_GROUP, SUBSCRIPTION, (), "vault a b"),
        (OTHER_GROUP, SUBSCRIPTION, (), ""),
        (KV.scope, SUBSCRIPTION, (), "vault a b"),
        (ON_A, SUBSCRIPTION, (), "a"),
        (CORP, KV.scope, WHOLE, "vault a b"),
        (FAR, KV.scope, WHOLE, ""),
        (FAR, KV.scope, WHOLE[1:], "vault a b"),
        (FAR, KV.scope, (), "vault a b"),
        (FAR, SUBSCRIPTION, (), ""),
    ],
)
def test_a_gap_hides_grants_from_those_without_and_denies_from_those_with_them(
    kind: str, where: str, listed: str, tree: tuple[HierarchyNode, ...], hidden: str
) -> None:
    base = read_at(estate(ANNA, BERT, KV, assignment(ROLE, ANNA, KV), gap(kind, where), *tree), **{kind: listed})
    for place, secret in (("vault", None), ("a", "a"), ("b", "b")):
        is_hidden = place in hidden.split()
        gaps = [(kind, where)] if is_hidden else []
        anna, bert = asked(base, ANNA.id, secret), asked(base, BERT.id, secret)
        if kind == DENIED:
            assert (anna, bert) == (("unknown", gaps) if is_hidden else ("allowed", []), ("denied", []))
        else:
            assert (anna, bert) == (("allowed", []), ("unknown", gaps) if is_hidden else ("denied", []))


@pytest.mark.parametrize("kind", [ASSIGNED, ELIGIBLE, DENIED])
@pytest.mark.parametrize(("listed", "tree", "is_hidden"), [(KV.scope, (), True), (SUBSCRIPTION, (), False)])
def test_a_tree_that_was_refused_hides_what_the_subscription_did_not_list(
    kind: str, listed: str, tree: tuple[HierarchyNode, ...], is_hidden: bool
) -> None:
    refused = gap("management_groups", management_group("corp"))
    base = read_at(estate(ANNA, KV, refused, *tree, assignment(ROLE, ANNA, KV)), **{kind: listed})
    who = ANNA.id if kind == DENIED else BERT.id
    answer = "allowed" if kind == DENIED else "denied"
    assert asked(base, who) == (("unknown", [(refused.kind, refused.scope)]) if is_hidden else (answer, []))


@pytest.mark.parametrize(
    ("who", "where", "child", "answers"),
    [
        (ANNA, SUBSCRIPTION, False, "denied denied denied"),
        (BERT, SUBSCRIPTION, False, "allowed allowed allowed"),
        (ANNA, RESOURCE_GROUP, True, "allowed allowed allowed"),
        (ANNA, KV.scope, False, "denied denied denied"),
        (ANNA, KV.scope, True, "unknown allowed allowed"),
        (ANNA, ON_A, False, "allowed denied allowed"),
        (ANNA, ON_A, True, "allowed denied allowed"),
        (ANNA, OTHER_GROUP, False, "allowed allowed allowed"),
    ],
)
def test_a_deny_reaches_what_stands_below_unless_it_says_otherwise(
    who: Principal, where: str, child: bool, answers: str
) -> None:
    taking = replace(deny(who.id, where, data_actions=(GET,)), do_not_apply_to_child_scopes=child)
    base = read_at(estate(ANNA, BERT, KV, assignment(ROLE, ANNA, KV), taking))
    assert [asked(base, ANNA.id, secret)[0] for secret in (None, "a", "b")] == answers.split()


def test_a_vault_without_its_policies_hides_them_and_nothing_else() -> None:
    blank = replace(vault("kv-app", policy(ANNA, secrets="get")), access_policies=None)
    (told,) = Access(estate(ANNA, blank)).can(ANNA.id, READ, blank).gaps
    assert (told.kind, told.scope, told.permission) == ("vaults", KV.id, "Microsoft.KeyVault/vaults/read")
    assert told.reason == "the access policies were not in what Azure sent"


@pytest.mark.parametrize(("tenant", "count"), [(TENANT, 1), ("99999999-9999-9999-9999-999999999999", 0)])
def test_an_entry_for_an_application_is_a_row_for_whom_may_hold_it(tenant: str, count: int) -> None:
    app = "a9a9a9a9-a9a9-a9a9-a9a9-a9a9a9a9a9a9"
    kv = vault("kv-app", policy(ANNA, secrets="get", tenant=tenant, application=app))
    assert len(Access(estate(ANNA, kv)).holdings(kv)) == count
    form = replace(ANNA, type="Application")
    assert Access(estate(form, kv)).holdings(kv) == ()
