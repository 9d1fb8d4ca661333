"""Who gains access by acting as others: the same that the routes of everybody say, each group once instead of its members."""

from dataclasses import replace

from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    group,
    guid,
    policy,
    role,
    secret,
    user,
    vault,
    workload,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.access.answers import CitationKind
from kvaudit.access.counting import AnyGrant
from kvaudit.access.escalation import Gain
from kvaudit.access.escalation.powers import STRENGTH, weaker
from kvaudit.access.evaluator import Access
from kvaudit.access.vault_counts import VaultCounts
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import EVERYONE, DenyPrincipal
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.identities import (
    Application,
    ApplicationPermission,
    DirectoryRoleAssignment,
    GroupScheduleInstance,
    Ownership,
    ResourceIdentity,
    UserAssignedIdentity,
)
from kvaudit.model.scopes import fold
from kvaudit.model.vaults import Vault
from kvaudit.rules.catalogue import by_id
from kvaudit.rules.judge import judge, judge_vault
from kvaudit.rules.judgement import Verdict

anna, ben, carl, robot = user("anna"), user("ben"), user("carl"), workload("robot")
app = Principal(
    guid("app"), "ServicePrincipal", display_name="app", app_id=guid("app id"), service_principal_type="Application"
)
team, ops, bots = group("team", anna, carl), group("ops", ben, anna), group("bots", robot, app)
all_ops = group("all-ops", ops, carl)
WHO = (anna, ben, carl, robot, app, team, ops, bots, all_ops)
MACHINES = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
OTHERS = f"{SUBSCRIPTION}/resourcegroups/rg-others"
MACHINE = fold(f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1")
GRAPH, APPLICATIONS = guid("graph"), "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"
IDENTITY = fold(f"{MACHINES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1")
attaches = role("attaches", actions=("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",))
makes = role("makes", actions=("Microsoft.Compute/virtualMachines/write",))
CONTROLS = ("Virtual Machine Contributor", "Managed Identity Operator", "Managed Identity Contributor", attaches, makes)
DATA = ("Key Vault Secrets User", "Key Vault Administrator", "Key Vault Purge Operator")
kv = vault("kv")
old = vault("kv-old", policy(robot, secrets="get"), policy(team, secrets="get list"), policy(ops, keys="all"))
PLACES = (SUBSCRIPTION, MACHINES, OTHERS, MACHINE)

held = st.lists(
    st.builds(
        lambda make, what, who, at: make(what, who, at),
        st.sampled_from((assignment, assignment, eligible)),
        st.sampled_from(DATA),
        st.sampled_from(WHO),
        st.sampled_from((SUBSCRIPTION, RESOURCE_GROUP, kv)),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item.id,
)
controls = st.lists(
    st.builds(
        lambda make, what, who, at: make(what, who, at),
        st.sampled_from((assignment, assignment, assignment, eligible)),
        st.sampled_from(CONTROLS),
        st.sampled_from(WHO),
        st.sampled_from(PLACES),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda item: item.id,
)
denies = st.lists(
    st.builds(
        lambda who, spared, at, actions, data, effect: replace(
            deny(who, at, effect=effect, actions=actions, data_actions=data),
            exclude_principals=tuple(DenyPrincipal(item.id, None) for item in spared),
        ),
        st.sampled_from((*WHO, EVERYONE)),
        st.lists(st.sampled_from(tuple(getattr(item, "principal", item) for item in WHO)), max_size=1),
        st.sampled_from((SUBSCRIPTION, MACHINES, kv)),
        st.sampled_from((("*",), ("Microsoft.Compute/*",), ())),
        st.sampled_from(((), ("*",))),
        st.sampled_from(("enforced", "enforced", None)),
    ),
    max_size=1,
)
beside = st.lists(
    st.sampled_from(
        (
            ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id),
            UserAssignedIdentity(IDENTITY, robot.id),
            Application(guid("registration"), guid("app id"), "app"),
            Ownership(guid("registration"), "Application", ben.id, "User"),
            Ownership(team.id, "Group", carl.id, "User"),
            Ownership(bots.id, "Group", app.id, "ServicePrincipal"),
            ApplicationPermission(robot.id, GRAPH, APPLICATIONS, "Application.ReadWrite.All"),
            DirectoryRoleAssignment("1", "62e90394-69f5-4237-9190-012177145e10", ops.id),
            GroupScheduleInstance("i1", team.id, ben.id, "member", True),
            GroupScheduleInstance("i2", ops.id, carl.id, "owner", True),
        )
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


def made(holding: list[Item], control: list[Item], taken: list[Item], more: list[Item]) -> Estate:
    return estate(*WHO, kv, old, attaches, makes, *holding, *control, *taken, *more)


estates = st.builds(made, held, controls, denies, beside)

IDS = tuple(item.id for item in WHO)


def masks(access: Access, who: str, at: Vault) -> tuple[int, int, int]:
    """What somebody holds for certain, on a condition, and in any way, as the evaluator answers."""
    found = dict.fromkeys(Answer, 0)
    for operation, answer in access.answers(who, at).items():
        found[answer] |= operation.mask
    one, two = found[Answer.ALLOWED], found[Answer.CONDITIONAL]
    return one, two, one | two | found[Answer.UNKNOWN]


def more(its: tuple[int, int, int], mine: tuple[int, int, int]) -> Answer:
    if its[0] & ~mine[0]:
        return Answer.ALLOWED
    left = its[2] & ~mine[2]
    return Answer.DENIED if not left else Answer.CONDITIONAL if left & its[1] else Answer.UNKNOWN


def told(access: Access, at: Vault) -> dict[tuple[str, str], Answer]:
    """Who acts as whom and gains by it, as the routes of everybody say."""
    table: dict[tuple[str, str], Answer] = {}
    held = {who: masks(access, who, at) for who in IDS}
    for route in access.routes(at, expand_groups=True, only=frozenset({"E12", "E13", "E23"})).routes:
        who, target = route.principal_id, route.target
        if who is None or target is None or any(item.kind is CitationKind.DIRECTORY_ROLE for item in route.via):
            continue
        answer = weaker(route.answer, more(held[target], held[who]))
        if STRENGTH[answer] < STRENGTH[table.get((who, target), Answer.DENIED)]:
            table[who, target] = answer
    return table


def answers_of(gains: tuple[Gain, ...]) -> dict[str, Answer]:
    return {item.principal_id: item.answer for item in gains}


@settings(max_examples=150)
@given(estates)
def test_nobody_is_missed_who_has_a_route(what: Estate) -> None:
    access = Access(what)
    for place in what.vaults:
        gains = answers_of(access.escalations.gains(place))
        for (who, target), answer in told(access, place).items():
            directory = access._around.directory
            names = {who, *directory.chains_up(who), *directory.ways_up(who)}
            best = min(STRENGTH[gains.get(name, Answer.DENIED)] for name in names)
            assert best <= STRENGTH[answer], (place.name, who, target, answer)


@settings(max_examples=150)
@given(estates)
def test_nobody_is_told_who_has_no_route(what: Estate) -> None:
    access = Access(what)
    for place in what.vaults:
        known = told(access, place)
        for gain in access.escalations.gains(place):
            routes = access.escalations.gaining(gain, place)
            assert routes
            assert routes[0].answer is gain.answer
            assert routes[0].via
            if (
                what.deny_assignments
            ):  # who is kept from what his group holds may gain by the group's own right: no route of the group
                continue
            for target in gain.targets:
                assert (gain.principal_id, target) in known, (place.name, gain)
                # A group of it, which stands for it, may gain more surely.
                assert STRENGTH[known[gain.principal_id, target]] <= STRENGTH[gain.answer]


@settings(max_examples=200)
@given(estates)
def test_counts_are_those_of_the_evaluator(what: Estate) -> None:
    access = Access(what)
    bulk = access.bulk([AnyGrant()])
    for place in what.vaults:
        counted = VaultCounts(bulk, access.subject(place)).gains()
        if counted is not None:
            gains = access.escalations.gains(place)
            sure = [item for item in gains if item.answer is Answer.ALLOWED]
            targets = {target for item in sure for target in item.targets}
            assert counted == (len(sure), len(targets), len(gains))
    rules = (by_id("identity-takeover"),)
    for place, rule, judgement in judge(access, rules):
        assert [(rule, judgement)] == list(judge_vault(access.subject(place), rules))


def test_what_can_be_counted_is() -> None:
    """Grants on a condition, groups in groups, access policies and deny assignments elsewhere are counted, not asked about."""
    runs = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
    what = estate(
        *WHO, kv, old, runs,
        assignment("Key Vault Secrets User", bots), eligible("Key Vault Administrator", robot),
        assignment("Virtual Machine Contributor", all_ops, MACHINES),
        eligible("Virtual Machine Contributor", app, MACHINES), deny(anna, OTHERS, actions=("*",)),
    )  # fmt: skip
    access = Access(what)
    bulk = access.bulk([AnyGrant()])
    assert [VaultCounts(bulk, access.subject(place)).gains() for place in (kv, old)] == [(1, 1, 2), (1, 1, 2)]


def answers_at(what: Estate, at: Vault = kv) -> dict[str, Answer]:
    return answers_of(Access(what).escalations.gains(at))


def test_what_an_identity_holds_on_one_secret_alone_is_gained() -> None:
    runs = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
    on_secret = assignment("Key Vault Secrets User", robot, f"{kv.scope}/secrets/db")
    what = estate(
        anna, ben, robot, kv, runs, secret(kv, "db"), on_secret,
        assignment("Virtual Machine Contributor", anna, MACHINES),
        assignment("Virtual Machine Contributor", ben, MACHINES), assignment("Key Vault Secrets User", ben, kv),
    )  # fmt: skip
    assert answers_at(what) == {anna.id: Answer.ALLOWED}
    assert judged(what) == (Verdict.FAIL, "1 principal can act as 1 identity with access")


def judged(what: Estate) -> tuple[Verdict, str]:
    """As the evaluator and the counts say."""
    rule = by_id("identity-takeover")
    access = Access(what)
    ((_, one),) = judge_vault(access.subject(kv), (rule,))
    ((_, _, other),) = judge(access, (rule,))
    assert one == other
    return one.verdict, one.message


owned = (
    Application(guid("registration"), guid("app id"), "app"),
    Ownership(guid("registration"), "Application", ben.id, "User"),
)


def test_whoever_may_be_in_a_group_unseen_may_be_gained_by() -> None:
    """A group that was not read to the end, and one that lists no service principals while the application was not asked."""
    unread, listed = group("readers", is_read=False), group("readers")
    hidden = estate(ben, app, kv, unread, *owned, assignment("Key Vault Secrets User", unread, kv))
    assert judged(hidden)[0] is Verdict.UNKNOWN
    unasked = replace(
        estate(ben, app, kv, listed, *owned, assignment("Key Vault Secrets User", listed, kv)), member_of={}
    )
    assert judged(unasked)[0] is Verdict.UNKNOWN
    nobodys = estate(
        ben, carl, app, kv, listed, owned[0], Ownership(team.id, "Group", carl.id, "User"),
        assignment("Key Vault Secrets User", listed, kv),
    )  # fmt: skip
    assert judged(replace(nobodys, member_of={})) == (Verdict.PASS, "")


def test_an_entry_for_an_identity_with_an_application_is_gained_on_a_condition() -> None:
    runs = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
    compound = vault("kv-compound", policy(robot, secrets="get", application=guid("other app")))
    what = estate(anna, robot, compound, runs, assignment("Virtual Machine Contributor", anna, MACHINES))
    assert answers_at(what, compound) == {anna.id: Answer.CONDITIONAL}


def test_an_ownership_that_has_not_begun_waits_for_its_start() -> None:
    later = GroupScheduleInstance("i1", team.id, ben.id, "owner", eligible=False, start="2026-12-01T00:00:00Z")
    what = estate(ben, team, kv, later, assignment("Key Vault Secrets User", team, kv))
    assert answers_at(what) == {ben.id: Answer.CONDITIONAL}
    (route,) = Access(what).routes(kv, only=frozenset({"E23"})).routes
    assert route.via[0].condition == "not before 2026-12-01T00:00:00Z"


def test_an_application_that_the_directory_did_not_describe_is_known_by_its_owner() -> None:
    readers = group("readers", app)
    what = estate(
        ben, kv, readers, Ownership(app.id, "ServicePrincipal", ben.id, "User"),
        assignment("Key Vault Secrets User", readers, kv),
    )  # fmt: skip
    assert app.id not in what.principals
    assert answers_at(what) == {ben.id: Answer.ALLOWED}


def test_a_subscription_of_which_nobody_listed_the_grants_may_hide_who_controls_a_machine() -> None:
    elsewhere = f"/subscriptions/{guid('elsewhere')}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm"
    runs = ResourceIdentity(elsewhere, "microsoft.compute/virtualmachines", robot.id)
    what = estate(robot, kv, runs, assignment("Key Vault Secrets User", robot, kv))
    verdict, message = judged(what)
    assert verdict is Verdict.UNKNOWN
    assert "role assignments" in message


def test_the_surest_of_two_places_counts_where_somebody_makes_something_that_runs() -> None:
    nobody_knows = "77777777-7777-7777-7777-777777777777"
    what = estate(
        anna, robot, kv, attaches, makes, UserAssignedIdentity(IDENTITY, robot.id),
        assignment("Key Vault Secrets User", robot, kv), assignment(attaches, anna, MACHINES),
        assignment(nobody_knows, anna, f"{SUBSCRIPTION}/resourcegroups/a"), eligible(makes, anna, OTHERS),
    )  # fmt: skip
    assert answers_at(what) == {anna.id: Answer.CONDITIONAL}


def test_halves_of_a_route_by_two_groups_of_which_one_must_be_activated() -> None:
    """Neither group attaches the identity to something that it makes; a member of one who can come into the other does."""
    attachers, makers = group("attachers", anna, carl), group("makers", ben)
    ways = (
        GroupScheduleInstance("i1", makers.id, anna.id, "member", eligible=True),
        GroupScheduleInstance("i2", attachers.id, ben.id, "member", eligible=True),
    )
    what = estate(
        anna, ben, carl, robot, kv, attachers, makers, attaches, makes, UserAssignedIdentity(IDENTITY, robot.id), *ways,
        assignment("Key Vault Secrets User", robot, kv), assignment(attaches, attachers, MACHINES),
        assignment(makes, makers, OTHERS),
    )  # fmt: skip
    assert answers_at(what) == {anna.id: Answer.CONDITIONAL, ben.id: Answer.CONDITIONAL}
    routes = Access(what).routes(kv, only=frozenset({"E12"})).routes
    assert {(item.principal_id, item.answer) for item in routes} == set(answers_at(what).items())


def test_an_application_that_writes_the_directory_adds_itself_to_a_group() -> None:
    writes = ApplicationPermission(app.id, GRAPH, "19dbc75e-c2e2-444c-a770-ec69d8559fc7", "Directory.ReadWrite.All")
    protected = group("protected", is_assignable_to_role=True)
    reads = assignment("Key Vault Secrets User", team, kv)
    assert answers_at(estate(anna, carl, app, team, kv, writes, reads)) == {app.id: Answer.ALLOWED}
    assert answers_at(estate(app, protected, kv, writes, assignment("Key Vault Secrets User", protected, kv))) == {}
