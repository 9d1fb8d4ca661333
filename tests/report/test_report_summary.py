import io

import pytest
from builders import SUBSCRIPTION, assignment, estate, gap, policy, user, vault
from rich.console import Console
from sample import audit_of, contoso, hostile, one_record_in_two_ways
from syrupy.assertion import SnapshotAssertion

from kvaudit.model.estate import Estate
from kvaudit.model.settings import ManagedHsm
from kvaudit.report.summary import render_summary
from kvaudit.rules.judgement import EVIDENCE_KEPT


def shown(what: Estate, *, width: int = 80, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, no_color=not colour, force_terminal=colour, highlight=False, emoji=False, markup=False
    )
    render_summary(audit_of(what, snapshot_path="audit/snapshot"), console)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def test_golden(snapshot: SnapshotAssertion) -> None:
    assert shown(contoso()) == snapshot


def test_nothing_to_tell(snapshot: SnapshotAssertion) -> None:
    assert shown(estate()) == snapshot


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("make", [contoso, hostile])
def test_it_fits_the_terminal_and_says_the_same_without_colour(make: object, width: int) -> None:
    what = make()  # type: ignore[operator]
    lines = shown(what, width=width).splitlines()
    commands = [line for line in lines if line.startswith("  kvaudit ")]
    assert commands
    assert max(len(line) for line in lines if line not in commands) <= width


def test_no_name_steers_the_terminal_or_the_build() -> None:
    text = shown(hostile())
    assert "\x1b" not in text
    assert not set(text) & set("\u202e\u200b\ufeff\x07\x00")
    assert "::" not in text
    assert "##" not in text


def test_gaps_come_before_findings() -> None:
    text = " ".join(shown(contoso()).split())
    assert text.index("Not complete") < text.index("Permission models") < text.index("Who can read secrets")
    assert text.index("Who can read secrets") < text.index("Findings")
    assert "hides every vault there" in text


def test_a_subscription_that_refuses_everything_is_told_once() -> None:
    kinds = (
        "vaults",
        "role_assignments",
        "role_definitions",
        "deny_assignments",
        "deleted_vaults",
        "management_groups",
    )
    text = shown(estate(vault(), *(gap(kind, "/subscriptions/33333333-3333-3333-3333-333333333333") for kind in kinds)))
    assert text.count("33333333-3333-3333-3333-333333333333") == 1
    assert "6 gaps" in text


def test_managed_hsms_are_named_and_called_not_assessed() -> None:
    hsms = tuple(ManagedHsm(id=f"{SUBSCRIPTION}/x/{name}", name=name) for name in ("hsm-b", "hsm-a"))
    text = shown(estate(vault(), managed_hsms=hsms), width=200)
    assert "2 managed HSMs listed and not assessed (local RBAC was not read): hsm-a, hsm-b." in text


def test_a_record_that_opens_vaults_in_different_ways_is_told_so() -> None:
    text = shown(one_record_in_two_ways(), width=200)
    assert "4 by  one record in 2 ways; at 3 vaults: managed identity hr-sync" in text
    assert "adds itself to web" not in text


def test_it_says_that_more_records_may_open_several_vaults_than_are_counted() -> None:
    many = [user(f"user-{number}") for number in range(EVIDENCE_KEPT + 1)]
    vaults = [vault(f"kv-{number}", policy("anna", secrets="get")) for number in range(2)]
    text = shown(estate(*vaults, *many, *(assignment("Contributor", item) for item in many)), width=200)
    more = f"and {EVIDENCE_KEPT - 2} more records that open several vaults"
    assert f"{more}; the first {EVIDENCE_KEPT} records of each vault are counted" in text


def test_what_closes_some_gaps_of_a_group_is_not_told_of_all() -> None:
    gaps = (
        gap("role_assignments", permission="Microsoft.Authorization/roleAssignments/read"),
        gap("role_definitions"),
        gap("deny_assignments"),
        gap("management_groups", retryable=True),
    )
    text = shown(estate(vault(), *gaps), width=300)
    closed = "closed by Microsoft.Authorization/roleAssignments/read; of 2 of 4 no permission is known to close it; "
    assert f"403 AuthorizationFailed; {closed}of 1 of 4 asking again may close it" in text
