"""Laws of routes that hold for every estate."""

from dataclasses import replace

from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    policy,
    role,
    user,
    vault,
    workload,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.access.answers import CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, RoleAssignment
from kvaudit.model.estate import Estate
from kvaudit.model.identities import DirectoryRoleAssignment, Ownership, ResourceIdentity
from kvaudit.model.scopes import fold

RANK = {Answer.DENIED: 0, Answer.UNKNOWN: 1, Answer.CONDITIONAL: 2, Answer.ALLOWED: 3}
anna, ben, carl = user("anna"), user("ben"), user("carl")
robot = workload("robot")
team = group("team", anna)
ops = group("ops", ben, team)
WHO = (anna, ben, carl, robot, team, ops)
MACHINES = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
MACHINE = fold(f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1")
custom = replace(
    role("custom", actions=("Microsoft.KeyVault/vaults/write",)), assignable_scopes=(SUBSCRIPTION, RESOURCE_GROUP)
)
modern = vault("kv-modern", enable_purge_protection=None)
legacy = vault("kv-legacy", policy(robot, secrets="get"), policy(team, keys="backup update release"))
ROLES = (
    "Owner",
    "Contributor",
    "User Access Administrator",
    "Key Vault Contributor",
    "Key Vault Data Access Administrator",
    "Key Vault Secrets User",
    "Virtual Machine Contributor",
    "77777777-7777-7777-7777-777777777777",
    custom,
)
PLACES = ("/", SUBSCRIPTION, RESOURCE_GROUP, MACHINES, modern, legacy)
ACTIONS = ("*", "Microsoft.KeyVault/*", "Microsoft.Authorization/*/write", "Microsoft.Compute/*")

assignments = st.builds(assignment, st.sampled_from(ROLES), st.sampled_from(WHO), st.sampled_from(PLACES))
eligibles = st.builds(eligible, st.sampled_from(ROLES), st.sampled_from(WHO), st.sampled_from(PLACES))
denies = st.builds(
    lambda who, at, effect, action, data: deny(
        who, at, effect=effect, actions=(action,), data_actions=("*",) if data else ()
    ),
    st.sampled_from(WHO),
    st.sampled_from(PLACES[1:]),
    st.sampled_from(("enforced", "enforced", "audit", None)),
    st.sampled_from(ACTIONS),
    st.booleans(),
)
beside = st.lists(
    st.sampled_from(
        (
            ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id),
            Ownership(team.id, "Group", carl.id, "User"),
            DirectoryRoleAssignment("1", "62e90394-69f5-4237-9190-012177145e10", ops.id),
        )
    ),
    max_size=2,
    unique=True,
)


def records(of: st.SearchStrategy[Item]) -> st.SearchStrategy[list[Item]]:
    return st.lists(of, max_size=4, unique_by=lambda item: getattr(item, "id", ""))


def made(held: list[Item], taken: list[Item], more: list[Item]) -> Estate:
    return estate(*WHO, modern, legacy, custom, *held, *taken, *more)


estates = st.builds(made, records(st.one_of(assignments, assignments, eligibles)), records(denies), beside)


def answers(what: Estate) -> dict[tuple[str, str, str], int]:
    """How sure each route of each principal to each vault is; those that are not there are left out."""
    access = Access(what)
    table: dict[tuple[str, str, str], int] = {}
    for place in what.vaults:
        for route in access.routes(place, expand_groups=True).routes:
            key = (place.name, route.principal_id or "", route.id)
            table[key] = max(table.get(key, 0), RANK[route.answer])
    return table


@settings(max_examples=25)
@given(estates, assignments)
def test_adding_an_assignment_never_removes_a_route(what: Estate, more: RoleAssignment) -> None:
    """But E17 is told only of those who do not hold the data anyway."""
    known = {item.id for item in what.role_assignments}
    before = answers(what)
    after = answers(replace(what, role_assignments=(*what.role_assignments, *([more] if more.id not in known else []))))
    for key, rank in before.items():
        assert key[2] == "E17" or after.get(key, 0) >= rank, key


@settings(max_examples=25)
@given(estates, denies)
def test_adding_a_deny_never_adds_a_route(what: Estate, more: DenyAssignment) -> None:
    """But E22, which is the removal of a deny assignment."""
    before = answers(what)
    after = answers(replace(what, deny_assignments=(*what.deny_assignments, more)))
    for key, rank in after.items():
        assert key[2] == "E22" or before.get(key, 0) >= rank, key


@settings(max_examples=25)
@given(estates)
def test_the_letter_case_of_ids_is_irrelevant(what: Estate) -> None:
    loud = replace(what, vaults=tuple(replace(item, id=item.id.upper()) for item in what.vaults))
    quiet, shouting = Access(what), Access(loud)
    for who in WHO:
        for place in what.vaults:
            one = quiet.routes_of(who.id, place)
            other = shouting.routes_of(who.id.upper(), shouting.vault(place.id.upper()))
            assert [(item.id, item.answer, item.steps) for item in one] == [
                (item.id, item.answer, item.steps) for item in other
            ]


@settings(max_examples=25)
@given(estates)
def test_rows_and_routes_say_the_same(what: Estate) -> None:
    access = Access(what)
    for expand in (False, True):
        rows = {
            (item.vault_id, item.principal_id): item.escalation
            for item in access.rows(expand_groups=expand)
            if item.object is None and item.application_id is None
        }
        for place in what.vaults:
            told: dict[str, set[str]] = {}
            for route in access.routes(place, expand_groups=expand).routes:
                told.setdefault(route.principal_id or "", set()).add(route.id)
            for who, ids in told.items():
                assert set(rows[place.id, who]) == ids
            assert {who for (at, who), ids in rows.items() if at == place.id and ids} == set(told)


@settings(max_examples=25)
@given(estates)
def test_certain_routes_cite_assignments_that_alone_suffice(what: Estate) -> None:
    access = Access(what)
    for place in what.vaults:
        for route in access.routes(place).routes:
            if route.answer is not Answer.ALLOWED or route.id == "E22":
                continue
            cited = {item.id for item in route.via if item.kind is CitationKind.ROLE_ASSIGNMENT}
            kept = tuple(item for item in what.role_assignments if item.id in cited)
            alone = Access(replace(what, role_assignments=kept, schedule_instances=(), deny_assignments=()))
            found = {item.id: item.answer for item in alone.routes_of(route.principal_id or "", place)}
            assert found.get(route.id) is Answer.ALLOWED, (route.id, route.via)


@settings(max_examples=25)
@given(estates)
def test_what_a_deny_listing_hides_is_never_good_news(what: Estate) -> None:
    """Without the deny listing no route is lost, and none of the control plane is certain."""
    blind = replace(
        what,
        deny_assignments=(),
        gaps=(gap("deny_assignments"),),
        listings=tuple(item for item in what.listings if item.kind != "deny_assignments"),
    )
    before, after = answers(what), answers(blind)
    assert {key for key in before if key[2] != "E22"} <= set(after)
    certain = {key[2] for key, rank in after.items() if rank > RANK[Answer.UNKNOWN]}
    assert certain <= {"E7", "E13", "E17", "E23", "E26"}


LIMITED = (
    (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
        " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
        " ForAnyOfAnyValues:GuidEquals{4633458b-17de-408a-b874-0445c86b69e6}))"
    ),
    (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
        " (@Request[Microsoft.Authorization/roleAssignments:PrincipalType]"
        " ForAnyOfAnyValues:StringEqualsIgnoreCase{'ServicePrincipal'}))"
    ),
)
limited = st.builds(
    lambda who, at, text: assignment("Owner", who, at, condition=text),
    st.sampled_from(WHO),
    st.sampled_from(PLACES),
    st.sampled_from(LIMITED),
)


@settings(max_examples=60)
@given(st.builds(made, records(st.one_of(limited, assignments)), records(denies), beside))
def test_delegates_are_those_of_whom_e5_is_told(what: Estate) -> None:
    """What rules ask of every vault is worked out another way than all routes, and says the same."""
    access = Access(what)
    for place in what.vaults:
        told = {item.principal_id: item for item in access.routes(place, only=frozenset({"E5"})).routes}
        found = access.escalations.delegates(place)
        assert dict(found) == {name: item.answer for name, item in told.items()}
        assert {name: access.escalations.delegation(name, place) for name in found} == told
