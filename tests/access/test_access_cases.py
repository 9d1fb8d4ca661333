"""The conformance cases: records as Azure sends them, a question, and the answer with its source."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from case_estates import cases, estate_of, flat_records, object_of

from kvaudit.access.answers import CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.model.permissions import operation

ALL = tuple(cases())
SOURCES = {"microsoft", "recorded", "field", "inferred"}


@pytest.mark.parametrize("case", [case for _, case in ALL], ids=[case["id"] for _, case in ALL])
def test_the_answer_is_the_expected_one(case: Mapping[str, Any]) -> None:
    access, question, expected = Access(estate_of(case)), case["question"], case["expected"]
    vault = access.vault(question["vault"])
    if "control" in question:
        control = access.control_holders(vault, question["control"])
        assert {item.principal_id: item.answer.value for item in control} == expected["answers"]
        assert all(item.via for item in control)
    elif "routes" in question:
        routes = access.routes_of(question["routes"], vault)
        assert {item.id: item.answer.value for item in routes} == expected["routes"]
        assert all(item.via for item in routes)
    elif "who_can" in question:
        asked = operation(question["who_can"])
        expand = question.get("expand_groups", False)
        found = access.who_can(asked, vault, object_of(question.get("object")), expand_groups=expand)
        assert {item.principal_id: item.answer(asked.mask).value for item in found.holdings} == expected["answers"]
        assert all(item.via for item in found.holdings)
        _assert_notes(found.notes, expected)
    else:
        asked = operation(question["operation"])
        decision = access.can(question["principal"], asked, vault, object_of(question.get("object")))
        assert decision.answer.value == expected["answer"]
        if decision.answer.value != "denied":
            assert decision.because
        if (cites := expected.get("cites")) is not None:
            records = [item for item in decision.because if item.kind is not CitationKind.GAP]
            assert bool(records) if cites is True else len(records) == cites
        assert {gap.kind for gap in decision.gaps} >= set(expected.get("gaps", ()))
        if "ends" in expected:
            assert {item.ends for item in decision.because} == {expected["ends"]}
        if "words" in expected:
            assert expected["words"] in [item.words for item in decision.because]
        _assert_notes(decision.notes, expected)


def _assert_notes(notes: tuple[str, ...], expected: Mapping[str, Any]) -> None:
    text = "\n".join(notes)
    assert expected.get("note", "") in text
    assert "no_note" not in expected or expected["no_note"] not in text


def test_each_point_has_cases_and_near_misses() -> None:
    by_point: dict[int, list[Mapping[str, Any]]] = {}
    for point, case in ALL:
        by_point.setdefault(point, []).append(case)
    assert set(by_point) == set(range(1, 14))
    for point, found in by_point.items():
        assert len(found) >= 6, point
        by_id = {case["id"]: case for case in found}
        near = [(case, by_id[case["near_miss_of"]]) for case in found if "near_miss_of" in case]
        close = [one["id"] for one, other in near if _records_apart(one, other) <= 1]
        assert len(close) >= 2, (point, close)


def _records_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    left, right = Counter(flat_records(one)), Counter(flat_records(other))
    return max((left - right).total(), (right - left).total())


def test_nothing_that_is_not_established_is_guessed() -> None:
    """Every point of "Not established" in the facts that touches access has a case, which stays open or tells the doubt beside it."""
    about: dict[str, list[Mapping[str, Any]]] = {}
    for _, case in ALL:
        if "open" in case:
            about.setdefault(case["open"], []).append(case["expected"])
    assert set(about) == {"2.1", "2.2", "2.3", "12.1", "12.8", "12.11", "12.12", "12.13", "12.14", "12.15"}
    for point, found in about.items():
        answers = [{item.get("answer"), *item.get("answers", item.get("routes", {})).values()} for item in found]
        assert all(
            {"unknown", "conditional"} & some or "note" in item for some, item in zip(answers, found, strict=True)
        ), point
        assert any({"unknown", "conditional"} & some for some in answers), point


def test_each_case_names_its_source() -> None:
    assert len({case["id"] for _, case in ALL}) == len(ALL)
    for _, case in ALL:
        assert case["source"]["kind"] in SOURCES
        assert case["source"]["where"]
        assert case["why"]


def test_a_near_miss_expects_another_answer() -> None:
    by_id = {case["id"]: case for _, case in ALL}
    for case in by_id.values():
        if "near_miss_of" in case:
            assert case["expected"] != by_id[case["near_miss_of"]]["expected"], case["id"]
