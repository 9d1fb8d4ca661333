"""Killed at any point, a collection can be finished, and the result is that of a run that was never killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import (
    ENDED,
    HEADER,
    SUBSCRIPTIONS,
    Listed,
    assignment,
    collections,
    load,
    said,
    vault,
    write,
    write_all,
    write_missing,
)

from kvaudit.errors import SnapshotError
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter


def kill(folder: Path, listings: list[Listed], into: Path, cut: Callable[[int], int], *, flush: bool = True) -> None:
    """Writes listings and copies the folder as a kill leaves it: every file cut anywhere, or not made yet.

    A kill cuts the file that was being written; a power cut may cut each of them. The harder case is tried.
    """
    writer = SnapshotWriter.resume(folder) if folder.exists() else SnapshotWriter.create(folder, header=HEADER)
    write_missing(writer, listings)
    if flush:
        writer.flush()
    shutil.copytree(folder, into)
    writer.close(complete=False, ended_at=ENDED)
    for file in into.iterdir():
        if file.name != "manifest.json":
            os.truncate(file, cut(file.stat().st_size))


@settings(max_examples=60)
@given(listings=collections, done=st.integers(0, 10), again=st.integers(0, 10), data=st.data(), litter=st.booleans())
def test_a_resumed_run_equals_one_that_was_never_killed(
    listings: list[Listed], done: int, again: int, data: st.DataObject, litter: bool
) -> None:
    def cut(size: int) -> int:
        return data.draw(st.one_of(st.just(size), st.integers(0, size)))

    with TemporaryDirectory() as name:
        folder = Path(name)
        kill(folder / "first", listings[:done], folder / "killed", cut)
        with pytest.raises(SnapshotError, match="incomplete"):
            open_snapshot(folder / "killed")
        if litter:  # what a kill in the middle of a resume leaves beside the files
            (folder / "killed" / "vaults.ndjson.gz.part").write_bytes(b"half")
            (folder / "killed" / "manifest.json.part").write_bytes(b"{")
        kill(folder / "killed", listings[:again], folder / "killed twice", cut)
        writer = SnapshotWriter.resume(folder / "killed twice")
        write_missing(writer, listings)
        writer.close(complete=True, ended_at=ENDED)
        resumed = load(folder / "killed twice")
        straight = load(write_all(folder / "straight", listings))
    assert said(resumed) == said(straight)


@settings(max_examples=30)
@given(listings=collections, done=st.integers(0, 10), data=st.data())
def test_a_killed_snapshot_says_no_more_than_was_read_and_blurs_everything(
    listings: list[Listed], done: int, data: st.DataObject
) -> None:
    def cut(size: int) -> int:
        return data.draw(st.one_of(st.just(size), st.integers(0, size)))

    with TemporaryDirectory() as name:
        folder = Path(name)
        kill(folder / "first", listings[:done], folder / "killed", cut)
        estate = load_estate(open_snapshot(folder / "killed", allow_incomplete=True))
        whole = load(write_all(folder / "whole", listings))
    assert set(estate.listings) <= set(whole.listings)
    assert {item.id.casefold() for item in estate.role_assignments} <= {
        item.id.casefold() for item in whole.role_assignments
    }
    assert {item.scope for item in estate.vaults} <= {item.scope for item in whole.vaults}
    for kind in ("vaults", "role_assignments", "deny_assignments", "group_members"):
        assert any(gap.kind == kind and gap.scope == "/" for gap in estate.gaps), kind


def test_a_run_that_ended_early_can_be_finished(tmp_path: Path) -> None:
    listings = [
        Listed("vaults", SUBSCRIPTIONS[0], ((vault("a"),),)),
        Listed("vaults", SUBSCRIPTIONS[1], ((vault("b"),),), fails=True),
        Listed("role_assignments", SUBSCRIPTIONS[0], ((assignment(1), None),)),
    ]
    write_all(tmp_path / "s", listings, complete=False)
    writer = SnapshotWriter.resume(tmp_path / "s")
    assert writer.finished == {("vaults", SUBSCRIPTIONS[0]), ("role_assignments", SUBSCRIPTIONS[0])}
    assert writer.header["tool_version"] == HEADER["tool_version"]
    writer.add_page("vaults", SUBSCRIPTIONS[1], [vault("c")])
    writer.finish_listing("vaults", SUBSCRIPTIONS[1], items=1, pages=1)
    writer.close(complete=True, ended_at=ENDED)
    estate = load(tmp_path / "s")
    assert [item.name for item in estate.vaults] == ["a", "c"], "b was seen by a listing that is asked again"
    assert [gap.code for gap in estate.gaps] == ["UnreadableItem"], "the listing was answered this time"


def test_a_gap_of_a_finished_listing_outlives_a_kill(tmp_path: Path) -> None:
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    writer.add_gap(Gap("deny_assignments", "/subscriptions/a", "effect not read"))
    writer.add_gap(Gap("vaults", "/subscriptions/a", "no answer"))
    writer.finish_listing("deny_assignments", "/Subscriptions/A", items=0, pages=1)
    writer.flush()
    shutil.copytree(tmp_path / "s", tmp_path / "killed")
    writer.close(complete=False, ended_at=ENDED)
    SnapshotWriter.resume(tmp_path / "killed").close(complete=True, ended_at=ENDED)
    assert [gap.kind for gap in open_snapshot(tmp_path / "killed").gaps()] == ["deny_assignments"]


def test_a_changed_file_is_not_resumed(tmp_path: Path) -> None:
    write_all(tmp_path / "s", [Listed("vaults", "/", ((vault("a"),),))], complete=False)
    file = tmp_path / "s" / "vaults.ndjson.gz"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    before = {item.name: item.read_bytes() for item in (tmp_path / "s").iterdir()}
    with pytest.raises(SnapshotError, match="corrupt") as refused:
        SnapshotWriter.resume(tmp_path / "s")
    assert refused.value.details == ("vaults.ndjson.gz: its SHA-256 is not the one in the manifest",)
    assert before == {item.name: item.read_bytes() for item in (tmp_path / "s").iterdir()}, "and it is left as it is"


_SLOW_RUN = """
import sys, itertools
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from writing import HEADER, Listed, assignment, write
from kvaudit.snapshot.writer import SnapshotWriter

writer = SnapshotWriter.create(Path(sys.argv[1]), header=HEADER)
for number in itertools.count():
    scope = f"/subscriptions/{number}"
    page = tuple(assignment(item, scope=scope) for item in range(20))
    write(writer, Listed("role_assignments", scope, (page, (), page[:7])))
    if number == 100:
        print("under way", flush=True)
"""


def test_a_process_that_was_really_killed(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    command = [sys.executable, "-c", _SLOW_RUN, str(folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.2))  # noqa: S311 - any moment will do
        process.send_signal(signal.SIGKILL)
    writer = SnapshotWriter.resume(folder)
    assert len(writer.finished) >= 64
    write(writer, Listed("vaults", "/", ((vault("a"),),)))
    writer.close(complete=True, ended_at=ENDED)
    estate = load(folder)
    assert len(estate.role_assignments) == 20 * len(writer.finished - {("vaults", "/")})
