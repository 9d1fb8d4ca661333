"""Rules about routes to data: who can act as an identity with access, deploy secrets, assign itself what a condition admits."""

import pytest
from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    gap,
    group,
    guid,
    policy,
    role,
    unread_vault,
    user,
    vault,
    workload,
)
from judged import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, judged, principals_of

from kvaudit.model.directory import Principal
from kvaudit.model.identities import DirectoryRoleAssignment, Ownership, ResourceIdentity, UserAssignedIdentity
from kvaudit.model.scopes import fold
from kvaudit.rules.judgement import Verdict

anna, ben = user("anna"), user("ben")
robot = workload("robot")
readers = group("readers", ben)
people: tuple[Item, ...] = (anna, ben, robot, readers)
modern = vault("kv-modern")
legacy = vault("kv-legacy", policy(ben, secrets="get"))
open_to_templates = vault("kv-legacy", policy(ben, secrets="get"), enabled_for_template_deployment=True)
modern_templates = vault("kv-modern", enabled_for_template_deployment=True)
OTHER_GROUP = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
MACHINE = fold(f"{OTHER_GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1")
runs = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
ELSEWHERE = "/subscriptions/88888888-8888-8888-8888-888888888888"
runs_elsewhere = ResourceIdentity(
    f"{ELSEWHERE}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-2",
    "microsoft.compute/virtualmachines",
    robot.id,
)
idle = ResourceIdentity(f"{MACHINE}0", "microsoft.compute/virtualmachines", guid("somebody"))
uses = assignment("Key Vault Secrets User", robot, modern)
controls = assignment("Virtual Machine Contributor", anna, OTHER_GROUP)
owns = Ownership(readers.id, "Group", anna.id, "User")
reads = assignment("Key Vault Secrets User", readers, modern)
deployer = role(
    "deployer", actions=("Microsoft.KeyVault/vaults/deploy/action", "Microsoft.Resources/deployments/write")
)
one, two = group("one", anna), group("two", anna)
gives = role("gives", actions=("Microsoft.KeyVault/vaults/deploy/action",))
templates = role("templates", actions=("Microsoft.Resources/deployments/write",))
by_two_groups = (one, two, gives, templates, assignment(gives, one), assignment(templates, two))
IDENTITY = fold(f"{OTHER_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot")
lent = UserAssignedIdentity(IDENTITY, robot.id)
attaches = assignment("Managed Identity Operator", one, IDENTITY)
makes = assignment("Virtual Machine Contributor", two, RESOURCE_GROUP)
admin = "Role Based Access Control Administrator"


def limited(*roles: str, more: str = "") -> str:
    return (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
        " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
        f" ForAnyOfAnyValues:GuidEquals{{{', '.join(roles)}}}{more}))"
    )


SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
ROBOTS_ONLY = (
    " AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase"
    " {'ServicePrincipal'}"
)

CASES: dict[str, dict[str, tuple[tuple[Item, ...], Verdict]]] = {
    "identity-takeover": {
        "quiet: the identity has no access": ((modern, runs, controls), PASS),
        "quiet: nobody controls the machine": ((modern, runs, uses), PASS),
        "quiet: control elsewhere": (
            (modern, runs, uses, assignment("Virtual Machine Contributor", anna, RESOURCE_GROUP)),
            PASS,
        ),
        "quiet: the owner reads anyway": (
            (modern, owns, reads, assignment("Key Vault Administrator", anna)),
            PASS,
        ),
        "quiet: a directory role is told elsewhere": (
            (modern, uses, reads, DirectoryRoleAssignment("1", "62e90394-69f5-4237-9190-012177145e10", anna.id)),
            PASS,
        ),
        "fires": ((modern, runs, uses, controls), FAIL),
        "fires for the owner of a group": ((modern, owns, reads), FAIL),
        "fires on access policies": ((vault("kv", policy(readers, secrets="get")), owns), FAIL),
        "fires for halves from two groups": ((modern, uses, lent, one, two, attaches, makes), FAIL),
        "quiet: one half": ((modern, uses, lent, one, two, attaches), PASS),
        "eligible control is not counted": (
            (modern, runs, uses, eligible("Virtual Machine Contributor", anna, OTHER_GROUP)),
            PASS,
        ),
        "denied": ((modern, runs, uses, controls, deny(anna, OTHER_GROUP, actions=("*",))), PASS),
        "unreadable": ((modern, idle, uses, gap("role_assignments")), UNKNOWN),
        "unreadable resources of another subscription": (
            (modern, idle, uses, gap("resource_identities", ELSEWHERE)),
            UNKNOWN,
        ),
        "unreadable: who controls the machine": (
            (modern, runs_elsewhere, uses, gap("role_assignments", ELSEWHERE)),
            UNKNOWN,
        ),
        "quiet: unreadable where no machine of it stands": (
            (modern, runs, uses, gap("role_assignments", ELSEWHERE)),
            PASS,
        ),
        "quiet: who controls the machine reads through a group": (
            (modern, runs, uses, controls, two, assignment("Key Vault Administrator", two, modern)),
            PASS,
        ),
        "unreadable owners": ((modern, idle, uses, gap("group_owners", f"groups/{readers.id}")), UNKNOWN),
        "the properties were not read": ((unread_vault(), owns), UNKNOWN),
        "seen is seen": (
            (modern, runs, uses, controls, gap("group_owners", "groups/x"), gap("role_assignments")),
            FAIL,
        ),
        "not applicable: nobody collected any of it": ((modern, uses, controls), NOT_APPLICABLE),
    },
    "template-deployment-secrets": {
        "quiet: the flag is off": ((legacy, deployer, assignment(deployer, anna)), PASS),
        "quiet: nobody deploys": ((open_to_templates, assignment("Reader", anna)), PASS),
        "fires": ((open_to_templates, deployer, assignment(deployer, anna)), FAIL),
        "fires for Key Vault Contributor": ((open_to_templates, assignment("Key Vault Contributor", anna)), FAIL),
        "fires for halves from two groups": ((open_to_templates, *by_two_groups), FAIL),
        "fires for halves beside other routes": (
            (
                open_to_templates,
                *by_two_groups,
                assignment("User Access Administrator", one),
                assignment("User Access Administrator", two),
            ),
            FAIL,
        ),
        "quiet: nobody is in both": ((open_to_templates, group("one", ben), *by_two_groups[1:]), PASS),
        "eligible is not counted": ((open_to_templates, deployer, eligible(deployer, anna)), PASS),
        "not settled on Azure RBAC": ((modern_templates, deployer, assignment(deployer, anna)), UNKNOWN),
        "unreadable": ((open_to_templates, gap("role_assignments")), UNKNOWN),
        "seen is seen": ((open_to_templates, deployer, assignment(deployer, anna), gap("role_assignments")), FAIL),
    },
    "delegated-administrator-reaches-data": {
        "quiet: without a condition it is another rule": ((modern, assignment("Owner", anna)), PASS),
        "quiet: the condition admits no data": ((modern, assignment(admin, anna, condition=limited(READER))), PASS),
        "to others only is not counted": (
            (modern, assignment(admin, anna, condition=limited(SECRETS_USER, more=ROBOTS_ONLY))),
            PASS,
        ),
        "fires": ((modern, assignment(admin, anna, condition=limited(READER, SECRETS_USER))), FAIL),
        "fires for the role made for it": ((modern, assignment("Key Vault Data Access Administrator", anna)), FAIL),
        "eligible is not counted": ((modern, eligible("Key Vault Data Access Administrator", anna)), PASS),
        "unreadable": ((modern, gap("role_assignments")), UNKNOWN),
        "a role was not read": (
            (modern, assignment("77777777-7777-7777-7777-777777777777", anna), gap("role_definitions")),
            UNKNOWN,
        ),
        "seen is seen": (
            (modern, assignment("Key Vault Data Access Administrator", anna), gap("role_assignments")),
            FAIL,
        ),
        "not applicable": ((legacy, assignment("Key Vault Data Access Administrator", anna)), NOT_APPLICABLE),
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
    assert judgement.verdict is verdict, judgement.message
    if verdict is FAIL:
        assert judgement.fix
        assert judgement.evidence
        assert principals_of(judgement) == {anna.id}
    if verdict in {UNKNOWN, NOT_APPLICABLE}:
        assert judgement.message


def test_the_evidence_names_who_and_the_fix_every_record_that_is_mended() -> None:
    judgement = judged("identity-takeover", modern, runs, uses, controls, owns, reads, *people)
    (evidence,) = judgement.evidence
    assert (evidence.principal_id, evidence.record_id) in {
        (anna.id, controls.id),
        (anna.id, f"groups/{readers.id}/owners/{anna.id}"),
    }
    assert evidence.message.endswith("; it can act as 1 other identity with access too")
    assert judgement.message == "1 principal can act as 2 identities with access"
    assert f"az role assignment delete --ids {controls.id}" in judgement.fix
    assert f"az ad group owner remove --group {readers.id} --owner-object-id {anna.id}" in judgement.fix


def test_the_evidence_names_the_machine_and_what_it_runs_as() -> None:
    (evidence,) = judged("identity-takeover", modern, runs, uses, controls, *people).evidence
    assert "vm-1" in evidence.message
    assert "robot" in evidence.message


def test_the_owner_of_an_application_is_removed_from_its_registration() -> None:
    app = Principal(guid("app"), "ServicePrincipal", app_id=guid("app id"), service_principal_type="Application")
    owner = Ownership(app.id, "ServicePrincipal", anna.id, "User")
    judgement = judged(
        "identity-takeover", modern, app, owner, assignment("Key Vault Secrets User", app, modern), *people
    )
    assert judgement.verdict is FAIL


def test_key_vault_administrator_is_named() -> None:
    held = assignment("Key Vault Data Access Administrator", anna)
    (evidence,) = judged("delegated-administrator-reaches-data", modern, held, *people).evidence
    assert "Key Vault Administrator" in evidence.message
    assert evidence.record_id == held.id
