"""A second process reads a part of a snapshot: the same estate, the same errors, and it ends with whom it works for."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import ENDED, Listed, graph, said, write_all

from kvaudit.errors import SnapshotError
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.members import read_members
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.second_process import SecondProcess, second_process
from kvaudit.snapshot.writer import SnapshotWriter

CROWD = tuple(graph("user", f"member-{number}") for number in range(20_000))
"""So many that the answer does not fit into a pipe, and the process waits until it is taken."""

LINUX = pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the children of a process in /proc")

ITEMS = st.one_of(
    st.builds(
        graph,
        st.sampled_from(["user", "group", "servicePrincipal", "directoryRole"]),
        st.sampled_from(["anna", "Anna", "bo", "team", " bo ", "stra\u00dfe", "\U0001f511", "\ud800"]),
        accountEnabled=st.sampled_from([None, True, False, "yes"]),
        alternativeNames=st.sampled_from([None, ["a", 5, "b"], [], "x"]),
        displayName=st.sampled_from([None, "Anna", 5, "two\nlines", "\udfff"]),
    ),
    st.sampled_from([None, {}, [], "x", 2**70, {"id": 5}, {"id": "x"}, {"id": "y", "@odata.type": 7}]),
)
PAGES = st.lists(
    st.tuples(st.sampled_from(["groups/team", "groups/Team", "groups/anna", "nonsense"]), st.lists(ITEMS, max_size=4)),
    max_size=6,
)


def from_process(snapshot: Snapshot) -> Any:
    process = SecondProcess.start(snapshot)
    assert process
    with process:
        return process.members()


@settings(max_examples=20, deadline=None)
@given(pages=PAGES, cut=st.one_of(st.none(), st.floats(0, 1)))
def test_the_answer_is_what_one_process_reads(pages: list[tuple[str, list[Any]]], cut: float | None) -> None:
    """Listings side by side, items of any shape, and a file that was cut where a collection was killed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        writer = SnapshotWriter.create(path, header={})
        for scope, items in pages:
            writer.add_page("group_members", scope, items)
        writer.close(complete=cut is None, ended_at=ENDED)
        if cut is not None and (file := path / "group_members.ndjson.gz").exists():
            manifest = json.loads((path / "manifest.json").read_bytes())
            (path / "manifest.json").write_text(json.dumps({**manifest, "state": "collecting"}))
            os.truncate(file, int(cut * file.stat().st_size))
        snapshot = open_snapshot(path, allow_incomplete=True)
        alone = read_members(snapshot)
        beside = from_process(snapshot)
        assert beside == alone
        assert (beside.edges.names, beside.edges.types) == (alone.edges.names, alone.edges.types)
        assert said(load_estate(snapshot, apart=True)) == said(load_estate(snapshot, apart=False))


def test_other_lists_add_to_what_the_process_read(tmp_path: Path) -> None:
    listings = (
        Listed("group_members", "groups/team", ((graph("user", "anna"), graph("group", "inner")),)),
        Listed("service_principal_groups", "servicePrincipals/app", ((graph("group", "team"),),), fails=True),
        Listed("service_principal_groups", "servicePrincipals/other", ((graph("group", "aside"),),), fails=True),
    )
    snapshot = open_snapshot(write_all(tmp_path / "s", listings))
    estate = load_estate(snapshot, apart=True)
    assert said(estate) == said(load_estate(snapshot, apart=False))
    assert dict(estate.membership_columns.by_group) == {"aside": ["other"], "team": ["anna", "app", "inner"]}


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b'{"from":"groups/team","item":{"id":"x"}}\n[]\n'),
        gzip.compress(b'{"from":"groups/team","item":{"id":"x"}}\n'),
        gzip.compress(b'{"from":"groups/team","item":{"id":"x"}}\n' * 2)[:-4],
        b"no gzip",
        b"",
    ],
    ids=["no item", "too few", "cut", "no gzip", "empty"],
)
def test_what_is_wrong_with_the_file_is_told_in_the_same_words(tmp_path: Path, content: bytes) -> None:
    path = write_all(
        tmp_path / "s", [Listed("group_members", "groups/team", ((graph("user", "a"), graph("user", "b")),))]
    )
    (path / "group_members.ndjson.gz").write_bytes(content)
    manifest = json.loads((path / "manifest.json").read_bytes())
    manifest["files"]["group_members.ndjson.gz"]["bytes"] = len(content)
    (path / "manifest.json").write_text(json.dumps(manifest))
    snapshot = open_snapshot(path)
    assert from_process(snapshot) is None
    told = []
    for apart in (True, False):
        with pytest.raises(SnapshotError, match="corrupt") as caught:
            load_estate(snapshot, apart=apart)
        told.append((caught.value.message, caught.value.hint))
    assert told[0] == told[1]


@pytest.mark.parametrize("interpreter", ["", "/no/such/interpreter", sys.executable])
def test_without_an_interpreter_to_start_this_process_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD[:5],))]))
    monkeypatch.setattr(sys, "executable", interpreter)
    if interpreter and "such" not in interpreter:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert SecondProcess.start(snapshot) is None
    assert len(load_estate(snapshot, apart=True).memberships) == 5


@LINUX
def test_a_process_that_fails_leaves_the_reading_to_this_one(tmp_path: Path) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD,))]))
    with second_process(snapshot, apart=True) as process:
        (child,) = _children(os.getpid())
        os.kill(child, signal.SIGKILL)
        assert process
        assert process.assignments() is None
        assert process.members() is None
    assert len(load_estate(snapshot, apart=True).memberships) == len(CROWD)


def test_it_looks_for_programs_nowhere_but_where_this_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD[:5],))]))
    for name in ("orjson", "kvaudit", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('somebody else wrote this')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert from_process(snapshot) == read_members(snapshot)


@LINUX
def test_a_small_file_starts_no_process(tmp_path: Path) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD[:5],))]))
    with second_process(snapshot) as process:
        assert not _children(os.getpid())
        assert process is None


@LINUX
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor reads everything itself")
def test_a_large_file_is_read_by_a_process(tmp_path: Path) -> None:
    people = tuple(graph("user", f"member-{number}", visibility=os.urandom(2000).hex()) for number in range(2500))
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (people,))]))
    with second_process(snapshot) as process:
        assert _children(os.getpid())
        assert process
        assert process.members() == read_members(snapshot)


@LINUX
def test_it_ends_when_loading_fails(tmp_path: Path) -> None:
    snapshot = open_snapshot(write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD,))]))

    def interrupted() -> None:
        with second_process(snapshot, apart=True):
            assert _children(os.getpid())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not _children(os.getpid())


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from kvaudit.snapshot.second_process import second_process
from kvaudit.snapshot.reader import open_snapshot
with second_process(open_snapshot(Path(sys.argv[1])), apart=True):
    print("started", flush=True)
    time.sleep(60)
"""


@contextmanager
def parent(path: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        try:
            yield process
        finally:
            process.kill()


@LINUX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT"])
def test_it_ends_when_the_process_that_asked_ends(tmp_path: Path, name: str) -> None:
    path = write_all(tmp_path / "s", [Listed("group_members", "groups/team", (CROWD,))])
    with parent(path) as process:
        (child,) = _children(process.pid)
        process.send_signal(getattr(signal, name))
        process.wait(20)
        until = time.monotonic() + 20
        while Path(f"/proc/{child}").exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert not Path(f"/proc/{child}").exists()


def _children(pid: int) -> list[int]:
    """The processes that one has started and that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue
        state, above = rest.split()[:2]
        if int(above) == pid and state != "Z":
            found.append(int(name.split(" ", 1)[0]))
    return found
