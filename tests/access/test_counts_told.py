"""When vaults are counted together, and when one is asked for itself: near misses of one estate.

A count that stands must be what the evaluator answers. Where it does not stand ("asked"), the vault takes the long way: the
golden is reviewed, because what is asked without need is slow and what is counted without proof is wrong.
"""

from collections.abc import Iterator
from dataclasses import replace

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
    orphan,
    policy,
    role,
    secret,
    user,
    vault,
    workload,
)
from syrupy.assertion import SnapshotAssertion

from kvaudit.access.answers import Holding
from kvaudit.access.counting import BroadGrants, ControlGrants, DataGrants, Question, Tally
from kvaudit.access.evaluator import Access
from kvaudit.access.vault_counts import VaultCounts
from kvaudit.model.authorization import EVERYONE, DenyPrincipal, ScheduleInstance
from kvaudit.model.estate import Estate
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.permissions import iter_operations, mask_of
from kvaudit.model.vaults import Vault

SECRETS = "Microsoft.KeyVault/vaults/secrets"
GET, WRITE = f"{SECRETS}/getSecret/action", "Microsoft.KeyVault/vaults/write"
READS, PURGES = DataGrants(mask_of(["secrets/get", "secrets/list"])), DataGrants(mask_of(["secrets/purge"]))
BROAD = BroadGrants(mask_of(["secrets/get", "keys/sign"]))
WRITES = ControlGrants(WRITE, "Microsoft.KeyVault/vaults/accessPolicies/write")
ASSIGNS = ControlGrants("Microsoft.Authorization/roleAssignments/write")
QUESTIONS: dict[str, Question] = {
    "reads": READS,
    "purges": PURGES,
    "broad": BROAD,
    "writes": WRITES,
    "assigns": ASSIGNS,
}
KINDS = {"grants": frozenset({"role_assignments", "role_definitions"}), "groups": frozenset({"group_members"})}

ANNA, BERT, CARL = user("anna"), user("bert"), user("carl")
OPS = group("ops", CARL)
HIDDEN = group("hidden", is_read=False)
UNREAD = gap("group_members", f"groups/{HIDDEN.id}")
ROBOT = workload("robot")
KV, BESIDE = vault("kv-app"), vault("kv-beside")
AWAY = vault("kv-away", id=vault("kv-away").id.replace("rg-app", "rg-away"))
USER, OFFICER = "Key Vault Secrets User", "Key Vault Secrets Officer"
NAMED = "@Resource[Microsoft.KeyVault/vaults:name] StringEqualsIgnoreCase 'kv-app'"
ONE = f"@Resource[{SECRETS}:name] StringStartsWith 'a'"
CORP, FAR = management_group("corp"), management_group("far")
GRANTS: tuple[Item, ...] = (
    assignment(USER, ANNA, KV),
    assignment(OFFICER, OPS, RESOURCE_GROUP),
    assignment("Key Vault Administrator", BERT),
    assignment("Contributor", BERT, RESOURCE_GROUP),
    assignment("Owner", ANNA),
)
APPLIER = role("applier", actions=("Microsoft.KeyVault/vaults/accessPolicies/write",))
CHOOSY = role("choosy", data_actions=(GET,), condition=NAMED)
ACTIVE = ScheduleInstance(
    "/active/1", KV.scope, assignment(USER, ANNA).role, ANNA.id, eligible=False, end="2026-01-01T00:00:00Z"
)


def taking(who: str = EVERYONE, at: Vault | str = KV, **changes: object) -> Item:
    return replace(deny(who, at, data_actions=(GET,)), **changes)  # type: ignore[arg-type]


CASES: dict[str, tuple[Item, ...]] = {
    "grants": GRANTS,
    "nothing": (),
    "twice the same": (*GRANTS, assignment(USER, ANNA, RESOURCE_GROUP)),
    "an unknown role": (*GRANTS, assignment(guid("lost"), ROBOT, KV)),
    "an orphan": (*GRANTS, orphan("gone"), assignment(USER, guid("gone"), KV)),
    "an orphan above": (*GRANTS, orphan("gone"), assignment(USER, guid("gone"), SUBSCRIPTION)),
    "an orphan without data": (*GRANTS, orphan("gone"), assignment("Reader", guid("gone"), SUBSCRIPTION)),
    "an orphan by the name of the vault": (
        *(*GRANTS, orphan("gone")),
        assignment(USER, guid("gone"), SUBSCRIPTION, condition=NAMED),
    ),
    "a registration": (*GRANTS, replace(ROBOT, type="Application"), assignment(USER, ROBOT, KV)),
    "the name of the vault": (*GRANTS, assignment(USER, CARL, condition=NAMED)),
    "the name of a secret": (*GRANTS, assignment(USER, CARL, condition=ONE)),
    "the name of a secret, for a hidden group": (
        *(*GRANTS, HIDDEN, UNREAD),
        assignment(USER, HIDDEN, condition=ONE),
    ),
    "a hidden group": (*GRANTS, HIDDEN, UNREAD, assignment(USER, HIDDEN)),
    "eligible": (*GRANTS, eligible(OFFICER, CARL)),
    "eligible for writing": (*GRANTS, eligible("Contributor", CARL), eligible("Owner", CARL, CORP)),
    "only policies": (*GRANTS, APPLIER, assignment(APPLIER, CARL)),
    "over": (*GRANTS, ACTIVE),
    "over, beside another": (*GRANTS, ACTIVE, assignment(USER, CARL, KV), assignment(USER, ROBOT, BESIDE)),
    "on a secret": (*GRANTS, secret(KV, "a"), assignment(USER, CARL, f"{KV.scope}/secrets/a")),
    "an orphan on a secret": (*GRANTS, orphan("gone"), assignment(USER, guid("gone"), f"{KV.scope}/secrets/a")),
    "a deny for everyone": (*GRANTS, taking()),
    "a deny that audits": (*GRANTS, taking(effect="audit")),
    "a deny of something else": (*GRANTS, taking(permissions=deny(ANNA, KV, data_actions=("x/*",)).permissions)),
    "a deny for a holder": (*GRANTS, taking(BERT.id)),
    "a deny for a member": (*GRANTS, taking(CARL.id)),
    "a deny for somebody else": (*GRANTS, ROBOT, taking(ROBOT.id)),
    "a deny for a group": (*GRANTS, taking(OPS.id)),
    "a deny for a hidden group": (*GRANTS, HIDDEN, UNREAD, taking(HIDDEN.id)),
    "a deny that spares": (*GRANTS, taking(exclude_principals=(DenyPrincipal(ANNA.id),))),
    "a deny beside": (*GRANTS, taking(at=BESIDE)),
    "a deny for the group alone": (*GRANTS, taking(at=RESOURCE_GROUP, do_not_apply_to_child_scopes=True)),
    "a deny of writing": (*GRANTS, taking(permissions=deny(ANNA, KV, actions=(WRITE,)).permissions)),
    "a deny of all broad data": (*GRANTS, taking(permissions=deny(ANNA, KV, data_actions=("*",)).permissions)),
    "eligible above, and denied": (
        eligible(USER, CARL),
        taking(permissions=deny(ANNA, KV, data_actions=("*",)).permissions),
    ),
    "by the name of the vault above, and denied": (
        assignment(USER, CARL, condition=NAMED),
        taking(permissions=deny(ANNA, KV, data_actions=("*",)).permissions),
    ),
    "one over, one running": (
        *(*GRANTS, ACTIVE, assignment(USER, CARL, KV)),
        replace(ACTIVE, id="/active/2", principal_id=CARL.id, end="2027-01-01T00:00:00Z"),
    ),
    "a role by the name of the vault": (*GRANTS, CHOOSY, assignment(CHOOSY, CARL)),
    "denies not read": (*GRANTS, gap("deny_assignments", RESOURCE_GROUP)),
    "denies not read at the vault": (*GRANTS, gap("deny_assignments", KV)),
    "denies not read elsewhere": (*GRANTS, gap("deny_assignments", AWAY)),
    "grants not read": (*GRANTS, gap("role_assignments", RESOURCE_GROUP)),
    "groups not read": (*GRANTS, gap("group_members", f"groups/{guid('nobody')}")),
    "above an unread tree": (*GRANTS, gap("role_assignments"), assignment(USER, CARL, FAR, listed_from=frozenset())),
    "above in a tree": (
        *(*GRANTS, assignment(USER, CARL, CORP)),
        *(HierarchyNode(CORP, None), HierarchyNode(SUBSCRIPTION, CORP)),
    ),
    "at the root": (*GRANTS, assignment(USER, CARL, "/")),
}
VAULTS: dict[str, Vault] = {
    "policies": vault(
        "kv-app", policy(ANNA, secrets="get list"), policy(OPS, secrets="all"), policy(OPS, secrets="purge")
    ),
    "policies of a hidden group": vault("kv-app", policy(HIDDEN, secrets="get")),
    "policies with an application": vault("kv-app", policy(ANNA, secrets="get", application=guid("app"))),
    "policies of another tenant": vault("kv-app", policy(ANNA, secrets="get", tenant=OTHER_TENANT)),
    "policies of no tenant": vault("kv-app", policy(ANNA, secrets="get", tenant=None)),
    "policies for a registration": vault("kv-app", policy("form", secrets="get")),
    "policies that were not sent": replace(vault("kv-app", rbac=False), access_policies=None),
    "no model": replace(KV, permission_model=None),
    "another tenant": replace(KV, tenant_id=OTHER_TENANT),
}


def estates() -> Iterator[tuple[str, Estate]]:
    for name, items in CASES.items():
        yield name, estate(ANNA, BERT, CARL, OPS, KV, BESIDE, AWAY, *items)
    for name, changed in VAULTS.items():
        form = replace(user("form"), type="Application")
        yield name, estate(ANNA, BERT, CARL, OPS, form, HIDDEN, UNREAD, changed, BESIDE, AWAY, *GRANTS)
    asked = estate(ANNA, BERT, CARL, OPS, KV, BESIDE, AWAY, *GRANTS)
    for kind in ("role_assignments", "deny_assignments", "role_eligibility_schedule_instances"):
        yield f"{kind} never asked for", replace(asked, listings=tuple(i for i in asked.listings if i.kind != kind))


def counted(found: Estate) -> Iterator[tuple[Access, VaultCounts]]:
    access = Access(found)
    bulk = access.bulk(QUESTIONS.values())
    for place in found.vaults:
        yield access, VaultCounts(bulk, access.subject(place))


def test_golden(snapshot: SnapshotAssertion) -> None:
    lines = []
    for name, found in estates():
        told: dict[str, list[str]] = {}
        for _, counts in counted(found):
            told.setdefault("; ".join(_told(counts)), []).append(counts.vault.name)
        for text, places in told.items():
            lines += [f"{name}: {', '.join(places)}", f"  {text}"]
    assert "\n".join(lines) + "\n" == snapshot


def _told(counts: VaultCounts) -> Iterator[str]:
    for name, question in QUESTIONS.items():
        yield f"{name}: {_line(counts.tally(question))}"
    people = counts.tally(READS, _is_person)
    yield f"people who read: {_line(people)}"
    yield f"no gap: {', '.join(name for name, kinds in KINDS.items() if counts.has_no_gap(kinds)) or '-'}"
    strays = counts.strays()
    yield f"strays: {'asked' if strays is None else len(strays)}, on the vault {len(list(counts.strays_on_vault()))}"
    yield f"roles on the vault: {', '.join(sorted(str(item.name) for item in counts.roles_on_vault())) or '-'}"


def _line(found: Tally | None) -> str:
    if found is None:
        return "asked"
    pairs = {
        "allowed": (found.allowed, found.allowed_holders),
        "conditional": (found.conditional, found.conditional_holders),
        "unknown": (found.unknown, found.unknown_holders),
    }
    return ", ".join(f"{name} {number} of {holders}" for name, (number, holders) in pairs.items() if number) or "none"


def _is_person(found: Estate, principal_id: str, kind: str | None) -> bool | None:
    if found.principal(principal_id).state.value != "found":
        return None
    return kind in ("User", "Group")


@pytest.mark.parametrize(("name", "found"), list(estates()), ids=[name for name, _ in estates()])
def test_a_count_that_stands_is_what_the_evaluator_answers(name: str, found: Estate) -> None:
    for access, counts in counted(found):
        rows = access.holdings(counts.vault, with_routes=False)
        for question in (READS, PURGES):
            tally = counts.tally(question)
            if tally is not None:
                assert tally == _of_rows(rows, question.mask), (name, counts.vault.name)
        for kinds in KINDS.values():
            if counts.has_no_gap(kinds):
                assert not counts.subject.gaps(kinds), (name, counts.vault.name)


def _of_rows(rows: tuple[Holding, ...], mask: int) -> Tally:
    """The grants by records that name their holder: what holds through a group is the group's."""
    found: dict[str, list[str | None]] = {"allowed": [], "conditional": [], "unknown": []}
    for item in iter_operations(mask):
        for row in rows:
            own = {one.answer.value for one in row.via if one.mask & item.mask and one.scope and not one.groups}
            best = next((answer for answer in found if answer in own), None)
            if best:
                found[best].append(row.principal_id)
    numbers = {name: (len(ids), len(set(ids))) for name, ids in found.items()}
    return Tally(*numbers["allowed"], *numbers["conditional"], *numbers["unknown"])
