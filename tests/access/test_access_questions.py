"""The questions that rules, reports and the command line ask, beyond the answers that the cases pin down."""

from dataclasses import replace

import pytest
from drawn_estates import (
    DIRECTORY,
    GET,
    GROUP,
    OWNER,
    RG,
    SECRET,
    SECRETS_USER,
    SUBSCRIPTION,
    SUBSCRIPTION_ID,
    TENANT,
    VAULT,
)

from kvaudit.access.answers import CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.access.roles import holds_action, matches
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import (
    EVERYONE,
    DenyAssignment,
    DenyPrincipal,
    Permission,
    RoleAssignment,
)
from kvaudit.model.directory import Membership
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import Subscription
from kvaudit.model.permissions import all_operations_mask, operation, words_of
from kvaudit.model.vaults import AccessPolicy, ObjectRef, PermissionModel, Vault, VaultObject
from kvaudit.rules.judge import judge, judge_vault
from kvaudit.rules.judgement import Verdict

CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
READ, LIST = operation("secrets/get"), operation("secrets/list")


def grant(number: int, who: str, role: str = SECRETS_USER, scope: str = VAULT, kind: str = "User") -> RoleAssignment:
    return RoleAssignment(f"/assignments/{number}", scope, role, who, kind)


def vault_on(model: PermissionModel | None, *entries: AccessPolicy, tenant: str | None = TENANT) -> Vault:
    return Vault(VAULT, "kv-contoso", tenant_id=tenant, permission_model=model, access_policies=entries)


RBAC = vault_on(PermissionModel.AZURE_RBAC)
DECISIVE = ("deny_assignments", "role_assignments", "role_eligibility_schedule_instances")
READ_IN_SUBSCRIPTION = tuple(Listing(kind, SUBSCRIPTION, 0) for kind in DECISIVE)


def estate_with(*assignments: RoleAssignment, vault: Vault = RBAC, **more: object) -> Estate:
    estate = Estate(
        tenant_id=TENANT,
        subscriptions=(Subscription(SUBSCRIPTION_ID, tenant_id=TENANT),),
        vaults=(vault,),
        role_assignments=assignments,
        principals=DIRECTORY,
        listings=(Listing("service_principals", "servicePrincipals", 0), *READ_IN_SUBSCRIPTION),
    )
    return replace(estate, **more)  # type: ignore[arg-type]


def test_a_vault_is_found_by_name_and_by_id_in_any_case() -> None:
    access = Access(estate_with())
    assert access.vault(" KV-Contoso ") is access.vault(VAULT.upper() + "/") is RBAC
    with pytest.raises(KeyError):
        access.vault("kv-nowhere")
    with pytest.raises(KeyError):
        access.vault("/subscriptions/nowhere")


def test_an_operation_on_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="ask about keys/db-password"):
        Access(estate_with()).can("anna", operation("keys/sign"), RBAC, SECRET)


def test_a_vault_only_operation_is_judged_on_the_vault() -> None:
    decision = Access(estate_with(grant(1, "anna"))).can("anna", LIST, RBAC, SECRET)
    assert (decision.answer, decision.object) == (Answer.ALLOWED, None)


def test_who_can_sorts_by_answer_and_folds_groups_unless_asked() -> None:
    estate = estate_with(
        grant(1, "ops", kind="Group"),
        grant(2, "carl"),
        grant(3, "bert", role="lost"),
        memberships=(Membership("ops", "anna", "User"),),
        member_of={"robot": ()},
        listings=(
            Listing("group_members", "groups/ops", 1),
            Listing("service_principals", "servicePrincipals", 0),
            *READ_IN_SUBSCRIPTION,
        ),
    )
    folded = Access(estate).who_can(READ, RBAC)
    assert [(item.principal_id, item.answer(READ.mask).value) for item in folded.holdings] == [
        ("carl", "allowed"),
        ("ops", "allowed"),
        ("bert", "unknown"),
    ]
    assert [gap.kind for gap in folded.gaps] == ["role_definitions"]
    unfolded = Access(estate).who_can(READ, RBAC, expand_groups=True)
    chains = {item.principal_id: item.via[0].groups for item in unfolded.holdings}
    assert chains == {"anna": ("ops",), "carl": (), "ops": (), "bert": ()}


def test_members_that_nobody_read_are_a_row_without_a_name() -> None:
    estate = estate_with(grant(1, "ops", kind="Group"), gaps=(Gap("group_members", "groups/ops", "no", status=403),))
    hidden = [item for item in Access(estate).holdings(RBAC, expand_groups=True) if item.principal_id is None]
    assert [item.unknown for item in hidden] == [READ.mask | LIST.mask]
    assert CitationKind.GAP in {citation.kind for citation in hidden[0].via}
    assert all(item.principal_id for item in Access(estate).holdings(RBAC))


def test_rows_tell_objects_with_records_and_vaults_that_a_gap_hides() -> None:
    estate = estate_with(
        grant(1, "anna", scope=f"{VAULT}/secrets/db-password"),
        grant(2, "bert"),
        gaps=(Gap("vaults", "/subscriptions/other", "no"), Gap("subscriptions", "/subscriptions/third", "no")),
        objects=(VaultObject(VAULT, ObjectRef("secrets", "DB-Password")),),
    )
    rows = list(Access(estate).rows())
    assert [(row.vault_id, row.object, row.principal_id) for row in rows] == [
        (VAULT, None, "bert"),
        (VAULT, "secrets/DB-Password", "anna"),
        (VAULT, "secrets/DB-Password", "bert"),
        (None, None, None),
        (None, None, None),
    ]
    assert {row.unknown for row in rows[3:]} == {all_operations_mask()}


def test_no_object_rows_where_role_assignments_are_inert() -> None:
    own = grant(1, "anna", scope=f"{VAULT}/secrets/db-password")
    policies = vault_on(PermissionModel.ACCESS_POLICIES)
    assert Access(estate_with(own, vault=policies)).objects_with_records(policies) == ()
    foreign = vault_on(PermissionModel.AZURE_RBAC, tenant="elsewhere")
    assert Access(estate_with(own, vault=foreign)).objects_with_records(foreign) == ()


def test_scopes_that_are_no_objects_make_no_rows() -> None:
    odd = [
        grant(n, "anna", scope=f"{VAULT}/{tail}")
        for n, tail in enumerate(("privateendpointconnections/a", "secrets/a/b"))
    ]
    assert Access(estate_with(*odd)).objects_with_records(RBAC) == ()


def test_gaps_for_a_vault_are_those_of_its_scopes_roles_and_groups() -> None:
    near = Gap("role_assignments", RG, "no")
    far = Gap("role_assignments", "/subscriptions/other", "no")
    estate = estate_with(
        grant(1, "anna", role="lost"),
        grant(2, "ops", kind="Group"),
        gaps=(near, far, Gap("group_members", "groups/team", "no")),
        member_of={"robot": ()},
    )
    access = Access(estate)
    told = {(gap.kind, gap.scope) for gap in access.gaps_for(RBAC)}
    assert told == {
        ("role_assignments", RG),
        ("group_members", "groups/ops"),
        ("role_definitions", "/providers/Microsoft.Authorization/roleDefinitions/lost"),
    }
    assert {gap.kind for gap in access.found_gaps()} == {"group_members", "role_definitions"}
    subject = access.subject(RBAC)
    assert [gap.scope for gap in subject.gaps({"group_members"})] == ["groups/ops"]
    assert subject.gaps({"role_assignments"}) == (near,)


def test_a_subject_answers_what_rules_ask() -> None:
    estate = estate_with(
        grant(1, "anna"),
        grant(2, "bert", role=OWNER, scope=SUBSCRIPTION),
        grant(3, "carl", scope=f"{VAULT}/secrets/db-password"),
        grant(4, "ops", kind="Group"),
        memberships=(Membership("ops", "guest", "User"),),
        member_of={"robot": ()},
    )
    subject = Access(estate).subject(RBAC)
    assert subject.permission_model is PermissionModel.AZURE_RBAC
    assert subject.estate is estate
    assert [item.principal_id for item in subject.holdings] == ["anna", "ops"]
    assert [item.principal_id for item in subject.object_holdings] == ["anna", "carl", "ops"]
    assert subject.members(expand=False) == subject.holdings
    assert [item.principal_id for item in subject.members()] == ["anna", "guest", "ops", None]
    assert [item.principal_id for item in subject.holders_of("Microsoft.Authorization/roleAssignments/write")] == [
        "bert"
    ]
    assert subject.principal("anna").type == "User"


def test_a_registration_holds_no_control_plane_action() -> None:
    estate = estate_with(grant(1, "form", role=OWNER, kind="ServicePrincipal"))
    assert Access(estate).control_holders(RBAC, "Microsoft.KeyVault/vaults/write") == ()


def test_a_denied_answer_cites_the_deny_and_a_silent_one_says_what_was_read() -> None:
    deny = DenyAssignment(
        "/denies/1",
        "deny",
        SUBSCRIPTION,
        permissions=(Permission(data_actions=(GET,)),),
        principals=(DenyPrincipal(EVERYONE),),
        effect="enforced",
    )
    access = Access(estate_with(grant(1, "anna"), deny_assignments=(deny,)))
    taken, silent = access.can("anna", READ, RBAC), access.can("bert", READ, RBAC)
    assert [(item.kind, item.answer) for item in taken.because] == [(CitationKind.DENY_ASSIGNMENT, Answer.DENIED)]
    assert (silent.answer, silent.because) == (Answer.DENIED, ())
    assert any(SUBSCRIPTION in note for note in silent.notes)
    policies = vault_on(PermissionModel.ACCESS_POLICIES)
    assert "0 access policy entries" in Access(estate_with(vault=policies)).can("bert", READ, policies).notes[-1]


def test_a_gap_is_cited_for_every_operation_that_it_touches() -> None:
    estate = estate_with(
        grant(1, "ops", kind="Group"), grant(2, "ops", role=CRYPTO_USER, kind="Group"), member_of={"robot": ()}
    )
    access = Access(estate)
    for word in ("secrets/get", "keys/sign"):
        decision = access.can("anna", operation(word), RBAC)
        assert decision.answer is Answer.UNKNOWN
        assert [gap.scope for gap in decision.gaps] == ["groups/ops"]


def test_a_possible_deny_says_its_condition() -> None:
    text = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'KV-contoso'"
    for whole, block in ((text, None), (None, text)):
        deny = DenyAssignment(
            "/denies/1",
            "deny",
            SUBSCRIPTION,
            permissions=(Permission(data_actions=(GET,), condition=block),),
            principals=(DenyPrincipal(EVERYONE),),
            effect="enforced",
            condition=whole,
        )
        decision = Access(estate_with(grant(1, "anna"), deny_assignments=(deny,))).can("anna", READ, RBAC)
        told = [item for item in decision.because if item.kind is CitationKind.DENY_ASSIGNMENT]
        assert [(item.condition, item.answer) for item in told] == [(text, Answer.UNKNOWN)]
        assert told[0].words == "only in vaults whose name is 'KV-contoso'"


def test_many_names_in_a_note_are_counted() -> None:
    entries = [AccessPolicy(TENANT, f"p{number}", None, secrets=(f"word{number}",)) for number in range(8)]
    vault = vault_on(PermissionModel.ACCESS_POLICIES, *entries)
    notes = Access(estate_with(vault=vault)).who_can(READ, vault).notes
    assert "and 3 more" in "\n".join(notes)


def test_an_eligibility_above_an_unread_tree_is_unknown() -> None:
    estate = estate_with(
        grant(1, "anna", scope=GROUP),
        grant(2, "bert", role=OWNER, scope=GROUP),
        listings=(),
    )
    access = Access(estate)
    assert access.can("anna", READ, RBAC).answer is Answer.UNKNOWN
    assert access.can("carl", READ, RBAC).answer is Answer.UNKNOWN
    control = access.control_holders(RBAC, "Microsoft.KeyVault/vaults/write")
    assert [(item.principal_id, item.answer) for item in control] == [("bert", Answer.UNKNOWN)]


def test_a_gap_at_a_group_of_an_unread_tree_hides_grants() -> None:
    estate = estate_with(gaps=(Gap("role_assignments", GROUP, "no"),), listings=())
    assert Access(estate).can("anna", READ, RBAC).answer is Answer.UNKNOWN
    read = replace(estate, listings=READ_IN_SUBSCRIPTION)
    assert Access(read).can("anna", READ, RBAC).answer is Answer.DENIED


@pytest.mark.parametrize("kind", DECISIVE)
def test_what_nobody_asked_for_is_no_proof(kind: str) -> None:
    everything = estate_with(grant(1, "anna"))
    listings = tuple(item for item in everything.listings if item.kind != kind)
    access, unasked = Access(everything), Access(replace(everything, listings=listings))
    assert [access.can(who, READ, RBAC).answer for who in ("anna", "bert")] == [Answer.ALLOWED, Answer.DENIED]
    answers = [unasked.can(who, READ, RBAC) for who in ("anna", "bert")]
    hides_grants = kind != "deny_assignments"
    expected = [Answer.ALLOWED, Answer.UNKNOWN] if hides_grants else [Answer.UNKNOWN, Answer.DENIED]
    assert [item.answer for item in answers] == expected
    assert [(gap.kind, gap.scope) for gap in answers[hides_grants].gaps] == [(kind, SUBSCRIPTION)]
    assert kind in {gap.kind for gap in unasked.found_gaps()}
    at_the_vault = replace(unasked.estate, listings=(*listings, Listing(kind, VAULT, 0)))
    assert [Access(at_the_vault).can(who, READ, RBAC).answer for who in ("anna", "bert")] == [
        Answer.ALLOWED,
        Answer.DENIED,
    ]


@pytest.mark.parametrize("model", [PermissionModel.ACCESS_POLICIES, PermissionModel.AZURE_RBAC])
def test_no_rule_passes_on_assignments_that_nobody_asked_for(model: PermissionModel) -> None:
    estate = estate_with(vault=vault_on(model, AccessPolicy(TENANT, "anna", None, secrets=("get",))))
    listings = tuple(item for item in estate.listings if item.kind != "role_assignments")
    vault, access = estate.vaults[0], Access(replace(estate, listings=listings))
    read = {rule: found.verdict for rule, found in judge_vault(Access(estate).subject(vault))}
    asked = {rule: found.verdict for rule, found in judge_vault(access.subject(vault))}
    rests = {rule for rule in read if "role_assignments" in rule.needs and read[rule] is Verdict.PASS}
    assert rests
    assert {asked[rule] for rule in rests} == {Verdict.UNKNOWN}
    assert asked == {rule: found.verdict for _, rule, found in judge(access)}


def test_a_deny_for_a_management_group_alone_never_reaches_a_vault_below_it() -> None:
    deny = DenyAssignment(
        "/denies/1",
        "deny",
        GROUP,
        permissions=(Permission(actions=("*",), data_actions=(GET,)),),
        principals=(DenyPrincipal(EVERYONE),),
        do_not_apply_to_child_scopes=True,
        effect="enforced",
    )
    unread = tuple(item for item in estate_with().listings if item.kind != "deny_assignments")
    listings = (*unread, Listing("deny_assignments", VAULT, 0))  # the tree was not read: it may stand above the vault
    for is_narrow, answer in ((True, Answer.ALLOWED), (False, Answer.UNKNOWN)):
        denies = (replace(deny, do_not_apply_to_child_scopes=is_narrow),)
        access = Access(
            estate_with(grant(1, "anna"), grant(2, "bert", role=OWNER), deny_assignments=denies, listings=listings)
        )
        assert access.can("anna", READ, RBAC).answer is answer
        held = access.control_holders(RBAC, "Microsoft.KeyVault/vaults/write")
        assert [(item.principal_id, item.answer) for item in held] == [("bert", answer)]


def test_a_route_rests_on_denies_that_somebody_asked_for() -> None:
    estate = estate_with(grant(1, "anna", role=OWNER))
    listings = tuple(item for item in estate.listings if item.kind != "deny_assignments")
    found = {item.id: item.answer for item in Access(estate).routes_of("anna", RBAC)}
    unasked = {item.id: item.answer for item in Access(replace(estate, listings=listings)).routes_of("anna", RBAC)}
    assert found["E4"] is Answer.ALLOWED
    assert unasked["E4"] is Answer.UNKNOWN


def test_patterns_are_no_regular_expressions() -> None:
    assert matches("*", "Microsoft.KeyVault/vaults/read")
    assert not matches("Microsoft.KeyVault/vaults/rea.", "Microsoft.KeyVault/vaults/read")
    assert not matches("Microsoft.KeyVault/[a-z]*/read", "Microsoft.KeyVault/vaults/read")


def test_a_control_action_that_hangs_on_a_subtraction_is_not_settled() -> None:
    block = Permission(actions=("*",), not_actions=("Microsoft.KeyVault/vaults/*/write",))
    assert holds_action(block, "Microsoft.KeyVault/vaults/write") is None
    assert holds_action(block, "Microsoft.KeyVault/vaults/secrets/write") is False
    assert holds_action(block, "Microsoft.KeyVault/vaults/read") is True


def test_a_grant_on_one_object_is_open_for_writes_and_says_nothing_of_the_vault() -> None:
    access = Access(
        estate_with(grant(1, "anna", role="b86a8fe4-44ce-4948-aee5-eccb2c155cd7", scope=f"{VAULT}/secrets/db-password"))
    )
    (row,) = access.holdings(RBAC, SECRET)
    assert words_of(row.unknown) == (
        "secrets/set",
        "secrets/delete",
        "secrets/recover",
        "secrets/purge",
        "secrets/update",
    )
    assert words_of(row.allowed) == ("secrets/get", "secrets/backup")


def test_a_compound_entry_is_cited_at_its_vault_and_an_unread_role_names_what_reads_it() -> None:
    policies = vault_on(PermissionModel.ACCESS_POLICIES, AccessPolicy(TENANT, "anna", "app", secrets=("get",)))
    assert [item.scope for item in Access(estate_with(vault=policies)).can("anna", READ, policies).because] == [VAULT]
    (gap,) = Access(estate_with(grant(1, "anna", role="lost"))).can("anna", READ, RBAC).gaps
    assert gap.permission == "Microsoft.Authorization/roleDefinitions/read"
