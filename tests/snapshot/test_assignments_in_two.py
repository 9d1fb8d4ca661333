"""The file of role assignments read by two processes says what it says to one, wherever it is cut and whatever is in it."""

import gzip
import json
import weakref
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_items import RG, raw_assignments
from writing import Listed, assignment, graph, said, write_all

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.assignments import AssignmentsPart, ReadAssignments, place_to_cut, read_assignments
from kvaudit.snapshot.lines import Part
from kvaudit.snapshot.load import load_estate, no_collector_pauses
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.second_process import SecondProcess
from kvaudit.snapshot.sending import packed_assignments, unpacked_assignments

FILE = "role_assignments.ndjson.gz"
BLOCKS = st.lists(
    st.lists(st.tuples(st.sampled_from([RG, RG.upper(), "/", "/subscriptions/2"]), raw_assignments()), max_size=5),
    min_size=1,
    max_size=4,
)


def written(path: Path, blocks: Sequence[bytes], lines: int) -> Snapshot:
    """A snapshot whose file of role assignments holds these blocks."""
    write_all(path, [Listed("role_assignments", "/", ((assignment(1),),))])
    return replaced(path, b"".join(blocks), lines)


def replaced(path: Path, content: bytes, lines: int) -> Snapshot:
    (path / FILE).write_bytes(content)
    manifest = json.loads((path / "manifest.json").read_bytes())
    manifest["files"][FILE].update(bytes=len(content), lines=lines)
    (path / "manifest.json").write_text(json.dumps(manifest))
    return open_snapshot(path)


def packed(lines: Sequence[tuple[str, Any]]) -> bytes:
    return gzip.compress(b"".join(layout.encode({"from": scope, "item": raw}) + b"\n" for scope, raw in lines), mtime=0)


def sent(snapshot: Snapshot, cut: int) -> AssignmentsPart | None:
    """What another process reads from there on, as it comes over."""
    found = ReadAssignments()
    try:
        found.read(snapshot, Part(cut))
    except SnapshotError:
        return None
    return unpacked_assignments([bytes(part) for part in packed_assignments(found.part())])


def everything(found: ReadAssignments) -> Any:
    records, gaps = found.done()
    return [(item, item.listed_from) for item in records], gaps, dict(found.counts), found.unreadable


@given(blocks=BLOCKS, place=st.floats(0, 1), between=st.booleans(), answers=st.booleans())
def test_it_makes_no_difference_where_the_file_is_cut(
    blocks: list[list[tuple[str, Any]]], place: float, between: bool, answers: bool
) -> None:
    """Between two blocks, or within one, where a part cannot be read; with an answer from the other process, or without."""
    members = [packed(block) for block in blocks]
    ends = [sum(map(len, members[:number])) for number in range(len(members) + 1)]
    cut = ends[round(place * len(members))] if between else round(place * ends[-1])
    with TemporaryDirectory() as folder:
        snapshot = written(Path(folder) / "s", members, sum(map(len, blocks)))
        whole = everything(read_assignments(snapshot))
        asked = []

        def rest() -> AssignmentsPart | None:
            asked.append(cut)
            return sent(snapshot, cut) if answers else None

        assert everything(read_assignments(snapshot, cut, rest)) == whole
        assert len(asked) == (cut in ends)


@settings(max_examples=15, deadline=None)
@given(blocks=BLOCKS, place=st.floats(0, 1), between=st.booleans())
def test_a_process_reads_the_second_part(blocks: list[list[tuple[str, Any]]], place: float, between: bool) -> None:
    members = [packed(block) for block in blocks]
    ends = [sum(map(len, members[:number])) for number in range(len(members) + 1)]
    cut = ends[round(place * len(members))] if between else round(place * ends[-1])
    with TemporaryDirectory() as folder:
        snapshot = written(Path(folder) / "s", members, sum(map(len, blocks)))
        process = SecondProcess.start(snapshot, cut)
        assert process
        with process:
            beside = read_assignments(snapshot, process.cut, process.assignments)
            members_of_groups = process.members()
        assert everything(beside) == everything(read_assignments(snapshot))
        assert (
            members_of_groups is not None
        )  # whether or not it was asked for the assignments before, or could read them


LINE = b'{"from":"/","item":{"id":"x"}}\n'


@pytest.mark.parametrize(
    ("members", "lines"),
    [
        ([gzip.compress(LINE), gzip.compress(LINE)], 3),
        ([gzip.compress(LINE), gzip.compress(LINE * 2)], 2),
        ([gzip.compress(LINE + LINE[:9]), gzip.compress(LINE[9:])], 2),
        ([gzip.compress(LINE), gzip.compress(b"[]\n")], 2),
        ([gzip.compress(b"[]\n"), gzip.compress(LINE)], 2),
        ([gzip.compress(LINE), gzip.compress(LINE)[:-4]], 2),
        ([gzip.compress(LINE), gzip.compress(LINE[:-1])], 2),
        ([gzip.compress(LINE), b"no gzip"], 2),
        ([b"no gzip", gzip.compress(LINE)], 2),
        ([gzip.compress(LINE), gzip.compress(b" " * 2**20 + LINE)], 2),
        ([gzip.compress(b" " * 2**20 + LINE), gzip.compress(LINE)], 2),
    ],
)
def test_what_is_wrong_with_the_file_is_told_as_by_one_process(
    tmp_path: Path, members: list[bytes], lines: int
) -> None:
    """Too few and too many items, a line over two blocks (which is no error), no items, cut, no gzip, expanding too far."""
    snapshot = written(tmp_path / "s", members, lines)
    cut = len(members[0])
    told = []
    for rest in (lambda: sent(snapshot, cut), lambda: None):
        for where in (None, cut):
            try:
                told.append(everything(read_assignments(snapshot, where, rest)))
            except SnapshotError as error:
                told.append((error.message, error.hint))
    assert told == told[:1] * 4


def test_two_blocks_that_only_together_expand_too_far_are_refused(tmp_path: Path) -> None:
    """A small part that expands much and a large one: each has its share of the limit."""
    long = gzip.compress(b" " * 2**20 + LINE)
    random = gzip.compress(
        layout.encode({"from": "/", "item": {"id": "".join(map(chr, range(0x100, 0x3000)))}}) + b"\n"
    )
    snapshot = written(tmp_path / "s", [long, random * 4], 5)
    assert everything(read_assignments(snapshot, len(long), lambda: sent(snapshot, len(long)))) == everything(
        read_assignments(snapshot)
    )


def test_a_large_file_is_cut_where_both_processes_end_together(tmp_path: Path) -> None:
    """Half of it each, less where the other one has members to read, and nothing where these are all that takes time."""
    size = 200

    def cut_with(members: int) -> float | None:
        blocks = [packed([(RG, assignment(number))]) for number in range(size)]
        people = tuple(graph("user", f"member-{number}") for number in range(members))
        path = tmp_path / f"s-{members}"
        write_all(
            path,
            [Listed("role_assignments", RG, ((assignment(1),),)), Listed("group_members", "groups/team", (people,))],
        )
        snapshot = replaced(path, b"".join(blocks), size)
        place = place_to_cut(snapshot)
        starts = [sum(map(len, blocks[:number])) for number in range(size)]
        return None if place is None else starts.index(place) / size

    none, some, many = cut_with(1), cut_with(300), cut_with(2000)
    assert none is not None
    assert some is not None
    assert none < 0.5 < some
    assert many is None


def test_a_snapshot_without_assignments_is_not_cut(tmp_path: Path) -> None:
    path = write_all(tmp_path / "s", [Listed("group_members", "groups/team", ((graph("user", "a"),),))])
    assert place_to_cut(open_snapshot(path)) is None
    assert len(load_estate(open_snapshot(path), apart=True).memberships) == 1


def test_a_file_that_is_gone_or_was_packed_by_something_else_is_not_cut(tmp_path: Path) -> None:
    path = write_all(tmp_path / "s", [Listed("role_assignments", RG, ((assignment(1), assignment(2)),))])
    snapshot = open_snapshot(path)
    (path / FILE).write_bytes(gzip.compress(b"x", mtime=1) * 9)
    assert place_to_cut(snapshot) is None
    (path / FILE).unlink()
    assert place_to_cut(snapshot) is None


def test_an_estate_of_two_processes_is_that_of_one(tmp_path: Path) -> None:
    """With repeats in both parts, items that cannot be read, and rare properties."""
    items = [assignment(number % 70, description=f"why {number}" if number % 7 == 0 else None) for number in range(90)]
    lines = [(RG, raw) for raw in items[:40]] + [("/", raw) for raw in items[40:]] + [("/", None), ("/", {"id": 5})]
    path = tmp_path / "s"
    write_all(
        path,
        [
            Listed("role_assignments", RG, (tuple(items[:40]),)),
            Listed("role_assignments", "/", ((*items[40:], None, {"id": 5}),)),
        ],
    )
    snapshot = replaced(path, b"".join(packed([line]) for line in lines), len(lines))
    assert place_to_cut(snapshot)
    estate = load_estate(snapshot, apart=True)
    assert said(estate) == said(load_estate(snapshot, apart=False))
    assert len(estate.role_assignments) == 70
    assert {gap.code for gap in estate.gaps} == {"ChangedWhileReading", "UnreadableItem"}


def test_what_was_sent_takes_no_more_memory_although_no_cycles_are_looked_for(tmp_path: Path) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("role_assignments", RG, ((assignment(1), None),))]))
    with no_collector_pauses():
        found = ReadAssignments()
        found.read(snapshot)
        rows = weakref.ref(found.part().rows)
        assert rows()
        del found
        assert rows() is None
