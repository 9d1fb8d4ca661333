"""Rules on who holds what on the data: broad roles, people, purge, inert roles, orphans."""

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
    guest,
    guid,
    orphan,
    policy,
    role,
    unread_vault,
    user,
    vault,
    workload,
)
from judged import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, judged, principals_of

from kvaudit.access.evaluator import Access
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.vaults import AccessPolicy
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.words import place_words, principal_words

anna, visitor = user("anna"), guest("visitor")
shop, pipeline = workload("shop"), workload("pipeline")
robots = group("robots", shop, pipeline)
staff = group("staff", anna)
nested = group("nested", staff)
secretive = group("secretive", is_read=False)
around_secretive = group("around", secretive, shop)
gone, ghost = orphan("gone"), Principal(guid("ghost"), "User", PrincipalState.DELETED_RESTORABLE, "ghost")
with_gone = group("with gone", gone, shop)
people: tuple[Item, ...] = (
    with_gone,
    anna,
    visitor,
    shop,
    pipeline,
    robots,
    staff,
    nested,
    secretive,
    around_secretive,
    gone,
    ghost,
)

modern = vault("kv-app")
unsafe = vault("kv-app", enable_purge_protection=None)
NOT_READ = "77777777-7777-7777-7777-777777777777"
SECRETS_USER, ADMIN = "Key Vault Secrets User", "Key Vault Administrator"
on_app = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-app'"
reader_of_secrets = role("secret reader", data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",))


def legacy(*policies: AccessPolicy, **changes: Any) -> Item:
    return vault("kv-app", *policies, rbac=False, **changes)


CASES: dict[str, dict[str, tuple[tuple[Item, ...], Verdict]]] = {
    "data-roles-at-subscription": {
        "quiet": ((modern, assignment(SECRETS_USER, shop, modern)), PASS),
        "quiet: at the resource group": ((modern, assignment(SECRETS_USER, shop, RESOURCE_GROUP)), PASS),
        "quiet: Owner is no data-plane role": ((modern, assignment("Owner", anna)), PASS),
        "quiet: metadata only": ((modern, assignment("Key Vault Reader", anna)), PASS),
        "fires": ((modern, assignment(SECRETS_USER, shop)), FAIL),
        "fires at the root": ((modern, assignment(ADMIN, anna, "/")), FAIL),
        "fires for a custom role": ((modern, reader_of_secrets, assignment(reader_of_secrets, shop)), FAIL),
        "a condition is not counted": (
            (modern, assignment(SECRETS_USER, shop, condition=on_app.replace("app", "x"))),
            PASS,
        ),
        "eligible is not counted": ((modern, eligible(ADMIN, anna)), PASS),
        "denied": (
            (
                modern,
                assignment(SECRETS_USER, shop),
                deny(shop, modern, data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",)),
            ),
            PASS,
        ),
        "unreadable": ((modern, gap("role_assignments")), UNKNOWN),
        "a role was not read": ((modern, assignment(NOT_READ, shop), gap("role_definitions")), UNKNOWN),
        "denies were not read": ((modern, assignment(SECRETS_USER, shop), gap("deny_assignments")), UNKNOWN),
        "the properties were not read": ((unread_vault(), assignment(SECRETS_USER, shop)), UNKNOWN),
        "seen is seen": ((modern, assignment(SECRETS_USER, shop), gap("role_assignments")), FAIL),
        "not applicable": ((legacy(), assignment(SECRETS_USER, shop)), NOT_APPLICABLE),
    },
    "standing-human-access-to-secrets": {
        "quiet": ((modern, assignment(SECRETS_USER, shop, modern)), PASS),
        "quiet: a group of workloads": ((modern, assignment(SECRETS_USER, robots, modern)), PASS),
        "quiet: people without secrets/get": ((modern, assignment("Key Vault Reader", anna)), PASS),
        "quiet: inert policies": ((vault("kv-app", policy(anna, secrets="get"), rbac=True),), PASS),
        "somebody behind an absent list of policies": ((legacy(access_policies=None), shop), UNKNOWN),
        "quiet: inert roles": ((legacy(), assignment(SECRETS_USER, anna, modern)), PASS),
        "fires for a user": ((modern, assignment(SECRETS_USER, anna, modern)), FAIL),
        "fires for a guest": ((modern, assignment(ADMIN, visitor)), FAIL),
        "fires for a group": ((modern, assignment(SECRETS_USER, staff, RESOURCE_GROUP)), FAIL),
        "fires for a group in a group": ((modern, assignment(SECRETS_USER, nested)), FAIL),
        "fires for a policy": ((legacy(policy(anna, secrets="Get")),), FAIL),
        "fires for a group in a policy": ((legacy(policy(staff, secrets="all")),), FAIL),
        "fires on one secret": ((modern, assignment(SECRETS_USER, anna, f"{modern.id}/secrets/db")), FAIL),
        "eligible is not counted": ((modern, eligible(SECRETS_USER, anna)), PASS),
        "an unread eligibility counts as little": (
            (modern, assignment("Key Vault Reader", anna), gap("role_eligibility_schedule_instances")),
            PASS,
        ),
        "an absent list of policies": ((legacy(access_policies=None),), UNKNOWN),
        "a deleted user is nobody": ((modern, assignment(SECRETS_USER, ghost, modern)), PASS),
        "unreadable": ((modern, gap("role_assignments")), UNKNOWN),
        "the group's members were not read": ((modern, assignment(SECRETS_USER, secretive)), UNKNOWN),
        "nor those of a group in it": ((modern, assignment(SECRETS_USER, around_secretive)), UNKNOWN),
        "members of another tenant": (
            (modern, assignment(SECRETS_USER, guid("partner"), principal_type="ForeignGroup")),
            UNKNOWN,
        ),
        "an ID without a type": ((legacy(policy("nobody knows", secrets="get")),), UNKNOWN),
        "an unread group without access": ((modern, assignment(SECRETS_USER, robots)), PASS),
        "the properties were not read": ((unread_vault(), assignment(SECRETS_USER, anna)), UNKNOWN),
        "seen is seen": (
            (modern, assignment(SECRETS_USER, anna), assignment(SECRETS_USER, secretive), gap("role_assignments")),
            FAIL,
        ),
    },
    "purge-rights-held": {
        "quiet": ((unsafe, assignment(SECRETS_USER, shop)), PASS),
        "quiet: all does not include purge": (
            (legacy(policy(anna, secrets="all"), enable_purge_protection=None),),
            PASS,
        ),
        "fires": ((unsafe, assignment(ADMIN, anna)), FAIL),
        "fires for a policy": ((legacy(policy(shop, keys="purge"), enable_purge_protection=False),), FAIL),
        "eligible is not counted": ((unsafe, eligible(ADMIN, anna)), PASS),
        "denied": (
            (unsafe, assignment(ADMIN, anna), deny(anna, unsafe, data_actions=("*/purge/action",))),
            PASS,
        ),
        "unreadable": ((unsafe, gap("role_assignments")), UNKNOWN),
        "denies were not read": ((unsafe, assignment(ADMIN, anna), gap("deny_assignments")), UNKNOWN),
        "the properties were not read": ((unread_vault(), assignment(ADMIN, anna)), UNKNOWN),
        "seen is seen": ((unsafe, assignment(ADMIN, anna), gap("role_assignments")), FAIL),
        "not applicable": ((modern, assignment(ADMIN, anna)), NOT_APPLICABLE),
    },
    "inert-data-roles": {
        "quiet": ((legacy(policy(shop, secrets="get")),), PASS),
        "quiet: a control-plane role": ((legacy(), assignment("Key Vault Contributor", anna, modern)), PASS),
        "quiet: above the vault": ((legacy(), assignment(SECRETS_USER, shop, RESOURCE_GROUP)), PASS),
        "quiet: on another vault": ((legacy(), assignment(SECRETS_USER, shop, vault("kv-app2"))), PASS),
        "fires": ((legacy(), assignment(SECRETS_USER, shop, modern)), FAIL),
        "fires on a secret": ((legacy(), assignment(SECRETS_USER, shop, f"{modern.id}/secrets/db")), FAIL),
        "unreadable": ((legacy(), gap("role_assignments")), UNKNOWN),
        "a role was not read": ((legacy(), assignment(NOT_READ, shop, modern), gap("role_definitions")), UNKNOWN),
        "a role that nobody knows, without a gap": ((legacy(), assignment(NOT_READ, shop, modern)), UNKNOWN),
        "the properties were not read": ((unread_vault(), assignment(SECRETS_USER, shop, modern)), UNKNOWN),
        "seen is seen": ((legacy(), assignment(SECRETS_USER, shop, modern), gap("role_assignments")), FAIL),
        "not applicable": ((modern, assignment(SECRETS_USER, shop, modern)), NOT_APPLICABLE),
    },
    "orphaned-principals": {
        "quiet": ((modern, assignment(SECRETS_USER, shop, modern)), PASS),
        "fires for a role": ((modern, assignment(SECRETS_USER, gone, modern)), FAIL),
        "fires for an inherited role": ((modern, assignment(ADMIN, gone)), FAIL),
        "fires for a control-plane role on the vault": ((modern, assignment("Reader", gone, modern)), FAIL),
        "fires for a policy": ((legacy(policy(gone, secrets="get")),), FAIL),
        "fires for an inert policy": ((vault("kv-app", policy(gone, secrets="get"), rbac=True),), FAIL),
        "restorable is shown, not counted": ((modern, assignment(SECRETS_USER, ghost, modern)), PASS),
        "unresolved": ((modern, assignment(SECRETS_USER, "unresolved", modern)), UNKNOWN),
        "a policy of another tenant": ((legacy(policy("stranger", tenant=OTHER_TENANT, secrets="get")),), PASS),
        "a foreign group": (
            (modern, assignment(ADMIN, "partner", principal_type="ForeignGroup")),
            PASS,
        ),
        "a managed identity of another tenant": (
            (
                modern,
                assignment(
                    SECRETS_USER,
                    gone,
                    modern,
                    delegated_managed_identity_resource_id=f"{SUBSCRIPTION}/providers/x/y/z",
                ),
            ),
            PASS,
        ),
        "a group is not gone because a member is": ((modern, assignment(ADMIN, with_gone)), PASS),
        "an absent list of policies": ((vault(access_policies=None),), UNKNOWN),
        "unreadable": ((modern, gap("role_assignments")), UNKNOWN),
        "the properties were not read": ((unread_vault(), assignment(SECRETS_USER, gone)), UNKNOWN),
        "seen is seen": (
            (modern, assignment(SECRETS_USER, gone), assignment(ADMIN, "unresolved"), gap("role_assignments")),
            FAIL,
        ),
    },
}


@pytest.mark.parametrize(
    ("rule_id", "items", "verdict"),
    [
        pytest.param(rule_id, items, verdict, id=f"{rule_id}: {name}")
        for rule_id, rows in CASES.items()
        for name, (items, verdict) in rows.items()
    ],
)
def test_verdict(rule_id: str, items: tuple[Item, ...], verdict: Verdict) -> None:
    judgement = judged(rule_id, *items, *people)
    assert judgement.verdict is verdict, judgement
    if verdict is FAIL:
        assert judgement.evidence
    if verdict in {UNKNOWN, NOT_APPLICABLE}:
        assert judgement.message


def test_purge_is_told_by_operation_and_counted_by_principal() -> None:
    judgement = judged("purge-rights-held", unsafe, assignment(ADMIN, anna), eligible(ADMIN, shop), *people)
    assert judgement.message.startswith("1 principal can purge")
    assert {(item.principal_id, item.operation, item.answer.value) for item in judgement.evidence} == {
        (who.id, f"{kind}/purge", answer)
        for who, answer in ((anna, "allowed"), (shop, "conditional"))
        for kind in ("secrets", "keys", "certificates")
    }


def test_the_restorable_are_shown_and_never_removed() -> None:
    judgement = judged(
        "orphaned-principals", modern, assignment(ADMIN, ghost, modern), assignment(ADMIN, gone, modern), *people
    )
    assert [(item.principal_id, item.answer.value) for item in judgement.evidence] == [
        (gone.id, "allowed"),
        (ghost.id, "conditional"),
    ]
    assert judgement.fix == (f"az role assignment delete --ids {assignment(ADMIN, gone, modern).id}",)


def test_people_are_told_from_workloads_in_one_vault() -> None:
    judgement = judged(
        "standing-human-access-to-secrets",
        modern,
        *(assignment(SECRETS_USER, who, modern) for who in (anna, shop, staff, robots)),
        *people,
    )
    assert principals_of(judgement) == {anna.id, staff.id}


def test_removing_people_from_policies() -> None:
    judgement = judged(
        "standing-human-access-to-secrets", legacy(policy(shop, secrets="get"), policy(anna, secrets="get")), *people
    )
    start = "az keyvault delete-policy --name kv-app --resource-group rg-app --subscription 22222222-"
    (command,) = judgement.fix
    assert command.startswith(start)
    assert command.endswith(f" --object-id {anna.id}")


def test_what_is_held_through_a_group_is_told_of_the_group_alone() -> None:
    judgement = judged(
        "standing-human-access-to-secrets",
        modern,
        assignment(ADMIN, staff),
        eligible(SECRETS_USER, anna, modern),
        assignment(SECRETS_USER, secretive, modern),
        *people,
    )
    assert [(item.principal_id, item.answer.value) for item in judgement.evidence] == [
        (staff.id, "allowed"),
        (anna.id, "conditional"),
    ]
    assert "of 1 more it cannot be told" in judgement.message
    assert "Key Vault Administrator at subscription Applications" in judgement.evidence[0].message


def test_an_inert_policy_of_an_orphan_is_removed_through_resource_manager() -> None:
    judgement = judged("orphaned-principals", vault("kv-app", policy(gone, secrets="get"), rbac=True), gone)
    (command,) = judgement.fix
    assert command.startswith("az rest --method put")
    assert gone.id in command


def test_a_broad_role_is_named_once() -> None:
    judgement = judged("data-roles-at-subscription", modern, assignment(ADMIN, shop), *people)
    (evidence,) = judgement.evidence
    assert evidence.message.endswith("holds Key Vault Administrator at subscription Applications")
    assert evidence.operation == "Key Vault Administrator"


def test_words_for_what_was_not_read() -> None:
    subject = Access(estate(modern, anna)).subject(modern)
    assert principal_words(subject, None) == "somebody who could not be read"
    assert place_words(subject, None) == "a scope that was not read"
    assert place_words(subject, "/") == "the root scope /"
    assert place_words(subject, f"{modern.scope}/secrets/db") == "object db"
    assert place_words(subject, "/subscriptions/unnamed") == "subscription unnamed"
    assert principal_words(Access(estate(modern, user("ben", account_enabled=False))).subject(modern), guid("ben")) == (
        f"user ben ({guid('ben')}), whose account is disabled,"
    )


def test_groups_that_contain_each_other() -> None:
    first, second = group("first", group("second"), anna), group("second", group("first"))
    empty, mutual = group("empty", group("mutual")), group("mutual", group("empty"))
    for holder, verdict in ((second, FAIL), (first, FAIL), (empty, PASS)):
        items = (modern, assignment(SECRETS_USER, holder, modern), first, second, empty, mutual, anna)
        assert judged("standing-human-access-to-secrets", *items).verdict is verdict
