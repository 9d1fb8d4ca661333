"""What a deny assignment takes: near misses of one assignment, judged for several operations on a vault and on one of its secrets."""

from dataclasses import dataclass, replace

import pytest
from builders import (
    RESOURCE_GROUP,
    Item,
    assignment,
    deny,
    estate,
    gap,
    group,
    guid,
    policy,
    user,
    vault,
    workload,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, DenyPrincipal, Permission
from kvaudit.model.directory import Principal
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef

ANNA = user("anna")
KV = vault("kv-app")
SECRETS = "Microsoft.KeyVault/vaults/secrets"
GET, SET, LIST, DELETE = (
    f"{SECRETS}/{name}" for name in ("getSecret/action", "setSecret/action", "readMetadata/action", "delete")
)
MAYBE_GET, MAYBE_SET = (item.replace("/vaults/", "/vaults/*/") for item in (GET, SET))
MET, NOT_MET, OPEN = (
    f"@Resource[Microsoft.KeyVault/vaults:name] {test}"
    for test in ("StringEqualsIgnoreCase 'kv-app'", "StringEquals 'other'", "StringEquals 'KV-app'")
)
WORDS = ("get", "set", "delete", "list")


@dataclass(frozen=True)
class Row:
    """What blocks of a deny assignment take: answers to `WORDS` on the vault, and the first three on a secret."""

    blocks: tuple[Permission, ...]
    vault: str
    secret: str
    effect: str | None = "enforced"
    condition: str | None = None
    narrow: bool = False


def block(*data: str, but: tuple[str, ...] = (), condition: str | None = None) -> Permission:
    return Permission(data_actions=data, not_data_actions=but, condition=condition)


ROWS = {
    "nothing": Row((), "YYYY", "YYY"),
    "two": Row((block(GET, SET),), "NNYY", "NNY"),
    "two blocks": Row((block(GET), block(SET)), "NNYY", "NNY"),
    "all but one": Row((block(f"{SECRETS}/*", but=(SET,)),), "NYNN", "NYN"),
    "perhaps but one": Row((block(f"{SECRETS}/*", but=(MAYBE_SET,)),), "N?NN", "N?N"),
    "perhaps": Row((block(MAYBE_GET),), "?YYY", "?YY"),
    "perhaps twice": Row((block(MAYBE_GET), block(MAYBE_SET)), "??YY", "??Y"),
    "perhaps and for certain": Row((block(MAYBE_GET), block(GET, SET)), "NNYY", "NNY"),
    "met": Row((block(GET, SET, DELETE),), "NNNY", "NNN", condition=MET),
    "met in its block": Row((block(GET, DELETE, condition=MET), block(SET, condition=NOT_MET)), "NYNY", "NYN"),
    "not met": Row((block(GET, SET),), "YYYY", "YYY", condition=NOT_MET),
    "met, and not in its block": Row((block(GET, condition=NOT_MET), block(SET)), "YNYY", "YNY", condition=MET),
    "open": Row((block(GET, SET, DELETE),), "???Y", "???", condition=OPEN),
    "open in two blocks": Row((block(GET, condition=OPEN), block(SET, condition=OPEN)), "??YY", "??Y"),
    "open and for certain": Row((block(GET, SET, condition=OPEN), block(GET)), "N?YY", "N?Y"),
    "open and perhaps": Row((block(MAYBE_GET, SET, condition=OPEN),), "??YY", "??Y"),
    "perhaps and not met": Row((block(MAYBE_GET, condition=NOT_MET),), "YYYY", "YYY"),
    "effect not read": Row((block(GET), block(SET)), "??YY", "??Y", effect=None),
    "effect not read, met": Row((block(GET, SET),), "??YY", "??Y", effect=None, condition=MET),
    "effect not read, not met": Row((block(GET, SET),), "YYYY", "YYY", effect=None, condition=NOT_MET),
    "effect not read, open": Row((block(GET), block(MAYBE_SET)), "??YY", "??Y", effect=None, condition=OPEN),
    "audits": Row((block(GET, SET),), "YYYY", "YYY", effect="audit"),
    "the vault alone": Row((block(GET, LIST),), "?YYN", "YYY", narrow=True),
    "the vault alone, perhaps": Row((block(MAYBE_SET, LIST, GET),), "??YN", "YYY", narrow=True),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_it_takes(name: str) -> None:
    row = ROWS[name]
    taking = replace(
        deny(EVERYONE, KV if row.narrow else RESOURCE_GROUP, effect=row.effect),
        permissions=row.blocks,
        condition=row.condition,
        do_not_apply_to_child_scopes=row.narrow,
    )
    access = Access(estate(ANNA, KV, assignment("Key Vault Secrets Officer", ANNA, KV), taking))
    letters = {"allowed": "Y", "denied": "N", "unknown": "?"}

    def answers(words: tuple[str, ...], ref: ObjectRef | None) -> str:
        found = (access.can(ANNA.id, operation(f"secrets/{word}"), KV, ref) for word in words)
        return "".join(letters[item.answer.value] for item in found)

    assert answers(WORDS, None) == row.vault
    assert answers(WORDS[:3], ObjectRef("secrets", "one")) == row.secret
    assert answers(("restore",), None) == ("N" if name in ("all but one", "perhaps but one") else "Y")


READ = operation("secrets/get")
OPS, TEAM, HIDDEN = group("ops", ANNA), group("team"), group("hidden", is_read=False)
UNREAD = gap("group_members", f"groups/{HIDDEN.id}")
ROBOT = workload("robot")


@pytest.mark.parametrize(
    ("named", "spared", "answer", "gaps"),
    [
        ((OPS.id,), (), "denied", []),
        ((TEAM.id,), (), "allowed", []),
        ((HIDDEN.id,), (), "unknown", [UNREAD.scope]),
        ((HIDDEN.id, OPS.id), (), "denied", []),
        ((HIDDEN.id, TEAM.id), (), "unknown", [UNREAD.scope]),
        ((OPS.id,), (HIDDEN.id,), "unknown", [UNREAD.scope]),
        ((OPS.id,), (TEAM.id,), "denied", []),
        ((HIDDEN.id,), (OPS.id,), "allowed", []),
        ((EVERYONE,), (HIDDEN.id,), "unknown", [UNREAD.scope]),
        ((EVERYONE,), (HIDDEN.id, ANNA.id), "allowed", []),
        ((EVERYONE, HIDDEN.id), (TEAM.id,), "denied", []),
        ((ROBOT.id,), (), "allowed", []),
        ((), (), "allowed", []),
    ],
)
def test_whom_it_meets_and_what_hides_it(
    named: tuple[str, ...], spared: tuple[str, ...], answer: str, gaps: list[str]
) -> None:
    taking = replace(
        deny(EVERYONE, KV, data_actions=(GET,)),
        principals=tuple(DenyPrincipal(item.upper()) for item in named),
        exclude_principals=tuple(DenyPrincipal(item.upper()) for item in spared),
    )
    access = Access(
        estate(ANNA, ROBOT, OPS, TEAM, HIDDEN, KV, UNREAD, taking, assignment("Key Vault Secrets User", ANNA, KV))
    )
    found = access.can(ANNA.id, READ, KV)
    assert (found.answer.value, [item.scope for item in found.gaps]) == (answer, gaps)
    cited = [item.kind.value for item in found.because]
    assert cited.count("gap") == len(gaps)
    assert ("deny_assignment" in cited) is (answer != "allowed")


def test_a_device_activates_nothing_and_may_be_in_a_group_that_was_not_read() -> None:
    phone, veiled = Principal(guid("phone"), "Device"), group("veiled")
    unknown = gap("group_eligibility_schedule_instances", f"groups/{veiled.id}")
    spared = tuple(DenyPrincipal(item.id) for item in (veiled, HIDDEN))
    taking = replace(deny(EVERYONE, KV, data_actions=(GET,)), exclude_principals=spared)
    for who, gaps in ((phone, [UNREAD.scope]), (ANNA, [unknown.scope, UNREAD.scope])):
        grant = assignment("Key Vault Secrets User", who, KV)
        found = Access(estate(ANNA, phone, veiled, HIDDEN, KV, UNREAD, unknown, taking, grant)).can(who.id, READ, KV)
        assert (found.answer.value, [item.scope for item in found.gaps]) == ("unknown", gaps)


@pytest.mark.parametrize("expand", [False, True])
def test_members_of_a_group_of_another_operation_may_be_in_one_that_was_not_read(expand: bool) -> None:
    carl = user("carl")
    others = group("others", carl)
    items: tuple[Item, ...] = (
        *(ANNA, carl, others, HIDDEN, KV, UNREAD),
        *(assignment("Key Vault Secrets User", HIDDEN, KV), assignment("Key Vault Crypto User", others, KV)),
    )
    rows = Access(estate(*items)).who_can(READ, KV, expand_groups=expand).holdings
    found = {row.principal_id: row.answer(READ.mask).value for row in rows}
    expected = {HIDDEN.id: "allowed", others.id: "unknown"}
    assert found == (expected | {carl.id: "unknown", None: "unknown"} if expand else expected)


def test_routes_are_told_beside_holders_and_not_of_those_who_are_allowed() -> None:
    bert, carl, dora = (user(name) for name in ("bert", "carl", "dora"))
    app = guid("app")
    kv = vault("kv-app", policy(ANNA, secrets="get"), policy(bert, secrets="get", application=app))
    contributors = [assignment("Contributor", who, RESOURCE_GROUP) for who in (ANNA, bert, carl)]
    access = Access(estate(ANNA, bert, carl, dora, kv, *contributors))
    answer = access.who_can(READ, kv, include_escalation=True)
    assert {row.principal_id: row.answer(READ.mask).value for row in answer.holdings} == {
        ANNA.id: "allowed",
        bert.id: "conditional",
    }
    assert {item.principal_id for item in answer.routes or ()} == {bert.id, carl.id}
    assert all(item.mask & READ.mask for item in answer.routes or ())
    plain = access.who_can(READ, kv)
    assert (plain.routes, plain.not_assessed, plain.holdings) == (None, (), answer.holdings)
    policed = vault("kv-app", policy(carl, keys="get"))
    by_group = [assignment("Contributor", OPS, RESOURCE_GROUP)]
    for expand, who in ((False, {OPS.id}), (True, {OPS.id, ANNA.id})):
        told = Access(estate(ANNA, OPS, policed, *by_group))
        answer = told.who_can(READ, policed, expand_groups=expand, include_escalation=True)
        assert {item.principal_id for item in answer.routes or ()} == who
        beside = (
            told.with_routes_only(policed, (), expand_groups=True) if expand else told.with_routes_only(policed, ())
        )
        assert {row.principal_id for row in beside} == who
    grouped = vault("kv-app", policy(OPS, secrets="list"), policy(OPS, secrets="get", application=app))
    for place, holder, other in ((kv, bert.id, carl.id), (grouped, OPS.id, ANNA.id)):
        found = Access(estate(ANNA, bert, carl, OPS, place, *contributors)).rows()
        rows = {(row.principal_id, row.application_id): (row.conditional & READ.mask, row.escalation) for row in found}
        assert rows[(holder, app)][0] == READ.mask
        assert rows[(other, None)][0] == 0
        assert "E1" in rows[(other, None)][1]
