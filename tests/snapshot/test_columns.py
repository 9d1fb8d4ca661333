"""Records that are read straight into columns are the records that the collector's parser makes, one by one."""

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from raw_items import NAMES, RG, raw_assignments

from kvaudit.collectors.directory import parse_member, parse_principal
from kvaudit.collectors.role_assignments import parse
from kvaudit.model import scopes
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Membership
from kvaudit.model.edges import Memberships, MembershipsBuilder
from kvaudit.model.packing import Times, packed_name, packed_names, packed_time, packed_times
from kvaudit.model.rows import pairs_in
from kvaudit.snapshot import layout
from kvaudit.snapshot.columns import AssignmentReader, named_in
from kvaudit.snapshot.members import MemberReader
from kvaudit.snapshot.merging import merge_listed


def by_scope(records: Any) -> list[RoleAssignment]:
    return sorted(records, key=lambda item: (item.scope, scopes.fold(item.id)))


@given(
    st.lists(st.tuples(st.sampled_from((RG, "/", "/subscriptions/2")), raw_assignments()), max_size=12),
    st.integers(1, 12),
)
def test_assignments_in_columns_are_those_that_the_parser_makes(items: list[tuple[str, Any]], together: int) -> None:
    refused: list[tuple[str, str]] = []
    reader = AssignmentReader(lambda scope, problem: refused.append((scope, str(problem))))
    batches = (items[begin : begin + together] for begin in range(0, len(items), together))
    reader.read(([scope for scope, _ in batch], [raw for _, raw in batch]) for batch in batches)
    found, gaps = reader.done("role_assignments")

    parsed, unreadable = [], []
    for scope, raw in items:
        try:
            parsed.append(parse(raw, scope))
        except (KeyError, TypeError, ValueError) as problem:
            unreadable.append((scope, str(problem)))
    expected, expected_gaps = merge_listed("role_assignments", parsed)
    assert list(found) == by_scope(expected)
    assert [item.listed_from for item in found] == [item.listed_from for item in by_scope(expected)]
    assert refused == unreadable
    assert gaps == expected_gaps
    named = {
        (item.principal_id, item.principal_type, bool(item.delegated_managed_identity_resource_id)) for item in found
    }
    assert set(named_in(found)) == named
    for place in {item.scope for item in expected}:
        assert found.at(place) == tuple(item for item in by_scope(expected) if item.scope == place)
    ids = {item.id.casefold(): item for item in expected}
    assert found.by_ids({*ids, "/no/such"}) == ids
    assert RoleAssignments.of(tuple(found)) == found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("groups/G1", "groups/g1", "groups/g2", "nonsense")),
            st.sampled_from(
                (
                    {"id": "A", "@odata.type": "#microsoft.graph.user"},
                    {"id": "a", "@odata.type": "#microsoft.graph.user", "displayName": "Anna"},
                    {"id": "b", "@odata.type": "#microsoft.graph.group"},
                    {"id": "b"},
                    {"id": 5},
                    {},
                    None,
                )
            ),
        )
    )
)
def test_members_in_columns_are_those_that_the_parser_makes(items: list[tuple[str, Any]]) -> None:
    refused: list[str] = []
    reader = MemberReader(layout.decode, lambda scope, _: refused.append(scope))
    reader.read((scope, [layout.encode(raw)]) for scope, raw in items)
    edges, unreadable, described = set(), [], []
    for scope, raw in items:
        try:
            edges.add(parse_member(raw, scope))
        except (KeyError, TypeError, ValueError):
            unreadable.append(scope)
        else:
            described.append(parse_principal(raw, scope))
    found = reader.edges.done()
    assert list(found) == sorted(edges, key=lambda item: (item.group, item.member, item.member_type or ""))
    assert refused == unreadable
    assert set(reader.described) == set(described)
    assert reader.counts == {scope: sum(1 for other, _ in items if other == scope) for scope, _ in items}


@given(
    st.lists(
        st.builds(Membership, st.sampled_from("gh"), st.sampled_from("abgh"), st.sampled_from(("User", "Group", None)))
    )
)
def test_memberships_are_found_by_group_and_by_member(records: list[Membership]) -> None:
    found = Memberships.of(records)
    assert dict(found.by_group) == {
        group: sorted({item.member for item in records if item.group == group}) for group in {i.group for i in records}
    }
    assert dict(found.by_member) == {
        member: sorted({item.group for item in records if item.member == member})
        for member in {i.member for i in records}
    }
    assert {name for name, kind in found.type_of_member.items() if kind} == {i.member for i in records if i.member_type}


@given(
    st.lists(
        st.builds(Membership, st.sampled_from("gh"), st.sampled_from("abgh"), st.sampled_from(("User", "Group", None)))
    ),
    st.lists(
        st.builds(Membership, st.sampled_from("gi"), st.sampled_from("abcg"), st.sampled_from(("User", "", "Group")))
    ),
)
def test_memberships_that_were_built_take_in_further_ones(records: list[Membership], further: list[Membership]) -> None:
    builder = MembershipsBuilder()
    builder.take(Memberships.of(records))
    for item in further:
        builder.add(item)
    found, whole = builder.done(), Memberships.of([*further, *records])
    assert list(found) == list(whole)
    assert dict(found.by_member) == dict(whole.by_member)
    assert dict(found.type_of_member) == dict(whole.type_of_member)
    assert {(group, kind, tuple(members())) for group, kind, members in found.by_group_and_type()} == {
        (group, kind, tuple(item.member for item in whole if (item.group, item.member_type) == (group, kind)))
        for group, kind in {(item.group, item.member_type) for item in whole}
    }


def test_a_member_of_a_large_group_is_found_beside_those_of_small_ones() -> None:
    crowd = [Membership("large", f"member-{number:04}", "User") for number in range(1500)]
    twice = [Membership("large", "member-0007", "Group"), Membership("also large", "member-0007")]
    others = [Membership("also large", f"other-{number:04}", "User") for number in range(1500)]
    small = [Membership("a small one", "member-0007", "Group"), Membership("zero", "other-0001", "User")]
    found = Memberships.of([*crowd, *twice, *others, *small])
    assert found.by_member["member-0007"] == ["a small one", "also large", "large"]
    assert found.by_member["member-0008"] == ["large"]
    assert found.by_member["other-0001"] == ["also large", "zero"]
    assert "large" not in found.by_member
    assert found.by_group["large"] == [f"member-{number:04}" for number in range(1500)]
    assert found.nested(lambda name: name == "member-0007") == {
        "a small one": ["member-0007"],
        "also large": ["member-0007"],
        "large": ["member-0007"],
    }


_NIL = "00000000-0000-0000-0000-000000000000"


@given(
    st.lists(
        st.one_of(
            st.sampled_from((*NAMES, _NIL, NAMES[0].replace("-", " "), NAMES[0][1:], f"{NAMES[0][:-1]}\u0663")),
            st.uuids().map(str),
            st.text("0a-\t\u0661", min_size=36, max_size=36),
        ),
        max_size=4,
    )
)
def test_names_are_packed_together_as_they_are_packed_alone(names: list[str]) -> None:
    alone = [packed_name(name) for name in names]
    together = packed_names(names)
    assert together is None or together == b"".join(item or b"" for item in alone)
    assert (together is None) == (not names or None in alone)


TIMES = (
    "2021-09-08T11:12:13.1234567Z",
    "2026-11-24T04:00:00Z",
    "2021-09-08T11:12:13.0000000Z",
    "2021-09-08T11:12:13.010Z",
    "1900-01-01T00:00:00Z",
    "2155-15-31T31:63:63.9999999Z",
)


any_time = st.one_of(
    st.sampled_from(TIMES),
    st.datetimes().map(lambda time: f"{time.isoformat()}Z"),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,8})?Z", fullmatch=True),
    st.builds(
        lambda text, place, letter: text[:place] + letter + text[place + 1 :],
        st.sampled_from(TIMES),
        st.integers(0, 27),
        st.sampled_from([*"0 -:.TZz+_", "", "\u0663", "00"]),
    ),
    st.text(max_size=30),
    st.none(),
)


@given(any_time)
def test_a_time_is_the_same_text_after_it_was_packed(text: str | None) -> None:
    times = Times()
    number = times.number(text)
    assert 0 <= number < 2**64
    assert times[number] == text
    assert times.number(text) == number


def test_times_as_azure_sends_them_are_packed() -> None:
    assert None not in map(packed_time, TIMES)
    assert packed_times(TIMES[:1] * 3) == [packed_time(TIMES[0])] * 3


NO_DIGITS = ("2021-09-08T11:12:13Z", "2021-09-08T11:12:13.Z", "2021-09-08T11:12:13.5", "2021-09-08T11:12:13.5Z Z")


@given(
    st.lists(
        st.one_of(any_time, st.sampled_from(TIMES), st.sampled_from((*NO_DIGITS, 5, True, [], {}))),
        min_size=1,
        max_size=4,
    )
)
def test_times_are_packed_together_as_they_are_packed_alone(texts: list[Any]) -> None:
    together = packed_times(texts)
    digits = [isinstance(text, str) and text.find(".") == 19 and len(text) > 21 for text in texts]
    alone = [packed_time(text) if isinstance(text, str) else None for text in texts]
    assert together is None or together == alone
    assert (together is None) == (None in alone or not all(digits))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=8), st.integers(0, 1000))
def test_pairs_of_columns_are_those_of_their_rows(pairs: list[tuple[int, int]], far: int) -> None:
    rows = [(one + far, other) for one, other in pairs]
    columns = [array("I", column) for column in zip(*rows, strict=True)] or [array("I"), array("I")]
    assert pairs_in(*columns) == tuple(sorted(set(rows)))
