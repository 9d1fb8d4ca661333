"""Snapshots that are missing, damaged, hostile, older or newer: one clear error each, in bounded time and memory."""

import gzip
import json
import os
import resource
import signal
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import ENDED, HEADER, SUBSCRIPTIONS, Listed, assignment, load, said, vault, write_all

from kvaudit.errors import OutputError, SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.append import AppendFile
from kvaudit.snapshot.lines import read_lines
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

LISTINGS = [
    Listed("vaults", SUBSCRIPTIONS[0], ((vault("a"), vault("b")),)),
    Listed("role_assignments", SUBSCRIPTIONS[0], (tuple(assignment(number) for number in range(50)),)),
    Listed("role_assignments", SUBSCRIPTIONS[1], ((),), fails=True),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_all(tmp_path / "s", LISTINGS)


def refused(path: Path, *, verify: bool = False) -> SnapshotError:
    """The error of a snapshot that is opened and read to its end. Every one has a hint."""
    with pytest.raises(SnapshotError) as caught:
        load_estate(open_snapshot(path, verify=verify))
    assert caught.value.hint
    return caught.value


def change_manifest(path: Path, **changes: Any) -> None:
    file = path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | changes))


def test_no_folder_and_no_snapshot(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere").message
    assert "holds no snapshot" in refused(tmp_path).message
    (tmp_path / "file").write_text("x")
    assert "is no folder: manifest.json" in refused(tmp_path / "file").message
    with pytest.raises(SnapshotError, match="does not exist"):
        SnapshotWriter.resume(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_newer_schema_is_refused_and_an_older_one_read(path: Path) -> None:
    change_manifest(path, schema="kvaudit/snapshot/2")
    error = refused(path)
    assert "newer" in error.message
    assert "pgrade" in str(error.hint)
    change_manifest(path, schema="kvaudit/snapshot/0", something_that_is_gone=True)
    assert len(load(path).vaults) == 2


@pytest.mark.parametrize(
    "schema",
    [
        None,
        1,
        "",
        "kvaudit/snapshot",
        "kvaudit/snapshot/",
        "kvaudit/audit/1",
        "kvaudit/snapshot/-1",
        "kvaudit/snapshot/²",
    ],
)
def test_another_schema_is_no_manifest(path: Path, schema: Any) -> None:
    change_manifest(path, schema=schema)
    assert "not a readable manifest" in refused(path).message


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "done"},
        {"files": None},
        {"files": {"vaults.ndjson.gz": 5}},
        {"files": {"vaults.ndjson.gz": {"bytes": "5", "lines": 1, "sha256": "x"}}},
        {"files": {}},
        {"scope": [1]},
        {"scope": {"vaults": "kv"}},
    ],
)
def test_a_manifest_that_does_not_fit(path: Path, changes: Any) -> None:
    change_manifest(path, **changes)
    refused(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none(path: Path, content: bytes) -> None:
    (path / "manifest.json").write_bytes(content)
    assert "not a readable manifest" in refused(path).message


@pytest.mark.parametrize("name", ["vaults.ndjson.gz", "gaps.ndjson", "listings.ndjson"])
def test_a_missing_file_is_named(path: Path, name: str) -> None:
    (path / name).unlink()
    error = refused(path)
    assert error.details == (f"{name}: missing",)


def test_a_file_that_nobody_wrote_is_told(path: Path) -> None:
    (path / "deny_assignments.ndjson.gz").write_bytes(gzip.compress(b""))
    assert "does not name it" in str(refused(path).details)


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans(), data=st.data())
def test_any_change_is_found_by_verify_and_never_crashes_without(
    place: float, bit: int, cut: bool, data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        path = write_all(Path(name) / "s", LISTINGS)
        straight = said(load(path))
        files = ["gaps.ndjson", "listings.ndjson", "vaults.ndjson.gz", "role_assignments.ndjson.gz"]
        file = path / data.draw(st.sampled_from(files))
        content = bytearray(file.read_bytes())
        at = int(place * len(content))
        if cut:
            del content[at:]
        else:
            content[at] ^= 1 << bit
        file.write_bytes(content)
        refused(path, verify=True)
        try:
            estate = load_estate(open_snapshot(path))
        except SnapshotError:
            return
        if file.suffix == ".gz":  # gzip has a check sum of its own, and bits of its header that mean nothing
            assert said(estate) == straight


def test_a_listing_that_promises_more_than_there_is(path: Path) -> None:
    """Even where the sizes in the manifest were made to fit."""
    other = write_all(path.parent / "other", [Listed("vaults", SUBSCRIPTIONS[0], ((vault("a"),),))])
    (path / "vaults.ndjson.gz").write_bytes((other / "vaults.ndjson.gz").read_bytes())
    files = json.loads((path / "manifest.json").read_bytes())["files"]
    files |= {"vaults.ndjson.gz": json.loads((other / "manifest.json").read_bytes())["files"]["vaults.ndjson.gz"]}
    change_manifest(path, files=files)
    assert "1 of the 2 items" in refused(path, verify=True).message


def _put(path: Path, name: str, content: bytes, lines: int = 1) -> None:
    """Puts a file in place of one of a snapshot and makes the manifest fit its size."""
    (path / name).write_bytes(content)
    files = json.loads((path / "manifest.json").read_bytes())["files"]
    files[name] = {"bytes": len(content), "lines": lines, "sha256": "0" * 64}
    change_manifest(path, files=files)


def test_a_bomb_is_not_unpacked(path: Path) -> None:
    line = b'{"from":"/","item":null}\n'
    packer = zlib.compressobj(9, wbits=31)
    block = line * 40_000
    bomb = b"".join(packer.compress(block) for _ in range(200)) + packer.flush()  # 200 MB in less than 1 MB
    _put(path, "vaults.ndjson.gz", bomb)
    with pytest.raises(SnapshotError, match="expands") as caught:
        for _ in open_snapshot(path).items("vaults"):
            pass
    assert caught.value.hint


def test_what_a_tenant_compresses_beyond_measure_is_no_bomb(tmp_path: Path) -> None:
    """A tenant must not make its own audit unreadable with descriptions of one letter."""
    items = tuple(assignment(number, description="a" * 2**18) for number in range(40))
    path = write_all(tmp_path / "s", [Listed("role_assignments", SUBSCRIPTIONS[0], (items[:3], items[3:]))])
    assert len(load(path).role_assignments) == 40


def test_one_endless_line_is_not_gathered(path: Path) -> None:
    _put(path, "vaults.ndjson.gz", gzip.compress(b"a" * (17 * 2**20), 0))
    assert "line of more than" in refused(path).message


@pytest.mark.parametrize("line", [b"[]", b"5", b"{}", b'{"from":5,"item":1}', b'{"from":"/"}', b"\xff", b"[" * 200_000])
def test_a_line_that_is_no_item(path: Path, line: bytes) -> None:
    _put(path, "vaults.ndjson.gz", gzip.compress(line + b"\n", 0))
    assert "line 1 is not an item" in refused(path).message


@pytest.mark.parametrize("name", ["gaps.ndjson", "listings.ndjson"])
@pytest.mark.parametrize(
    "line", [b"[]", b"{}", b'{"kind":"vaults","scope":5}', b'{"kind":"a","scope":"b","reason":"c","status":"d"}']
)
def test_a_line_that_is_no_gap_and_no_listing(path: Path, name: str, line: bytes) -> None:
    _put(path, name, line + b"\n")
    assert "corrupt" in refused(path).message


@pytest.mark.parametrize("counts", [{"items": -1}, {"stored": True}, {"pages": 1.5}])
def test_counts_of_a_listing_are_counts(path: Path, counts: dict[str, Any]) -> None:
    whole = {"kind": "vaults", "scope": "/", "items": 0, "stored": 0, "pages": 0}
    _put(path, "listings.ndjson", json.dumps(whole | counts).encode() + b"\n")
    assert "not a finished listing" in refused(path).message


def test_a_pipe_or_a_link_in_place_of_a_file_does_not_hang(path: Path) -> None:
    file = path / "vaults.ndjson.gz"
    size = file.stat().st_size
    file.unlink()
    os.mkfifo(file)
    refused(path)
    file.unlink()
    (path.parent / "elsewhere").write_bytes(b"x" * size)
    file.symlink_to(path.parent / "elsewhere")
    refused(path)


def test_many_small_blocks_are_read_in_linear_time(tmp_path: Path) -> None:
    """One gzip member per line is what a hostile or unlucky writer makes; 20,000 of them stay quick and whole."""
    file = AppendFile(tmp_path / "lines.gz", compressed=True)
    for number in range(20_000):
        file.append([b"%d\n" % number])
    facts = file.facts
    file.close()
    assert facts.lines == 20_000
    assert [int(line) for line in read_lines(tmp_path / "lines.gz", cut_allowed=False)] == list(range(20_000))


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(0, 2**21), max_size=3), filler=st.sampled_from([b"a", b"a" * 999 + b"\n"]))
def test_blocks_of_any_size_come_back(sizes: list[int], filler: bytes) -> None:
    blocks = [(filler * (size // len(filler)))[:size] + b"\n" for size in sizes]
    with TemporaryDirectory() as name:
        file = AppendFile(Path(name) / "x.gz", compressed=True)
        for block in blocks:
            file.append([block])
        file.close()
        lines = list(read_lines(Path(name) / "x.gz", cut_allowed=False))
    assert b"".join(line + b"\n" for line in lines) == b"".join(blocks)


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow above a size: what a full disk does to a writer, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)


def _noise(count: int) -> tuple[dict[str, Any], ...]:
    """Assignments that do not compress to nothing."""
    return tuple(assignment(number, principal=os.urandom(16).hex()) for number in range(count))


@pytest.mark.parametrize("size", [0, 10, 200, 1000, 5000])
def test_a_full_disk_is_told_and_leaves_nothing_that_looks_whole(tmp_path: Path, size: int) -> None:
    listings = [Listed("role_assignments", SUBSCRIPTIONS[0], (_noise(500),)), LISTINGS[0]]
    with full_disk(size), pytest.raises(OutputError) as caught:
        write_all(tmp_path / "s", listings)
    assert "disk is full" in str(caught.value.hint)
    for allow in (False, True):
        try:
            snapshot = open_snapshot(tmp_path / "s", allow_incomplete=allow)
        except SnapshotError:
            continue
        assert allow, "only who asks for an incomplete snapshot gets one"
        assert not snapshot.complete


def test_after_a_full_disk_nothing_more_is_written_and_the_rest_can_be_resumed(tmp_path: Path) -> None:
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    writer.add_page("vaults", SUBSCRIPTIONS[0], [vault("a")])
    writer.finish_listing("vaults", SUBSCRIPTIONS[0], items=1, pages=1)
    writer.flush()
    with full_disk(2000):
        writer.add_page("role_assignments", SUBSCRIPTIONS[0], _noise(500))
        writer.finish_listing("role_assignments", SUBSCRIPTIONS[0], items=500, pages=1)
        with pytest.raises(OutputError):
            writer.flush()
    with pytest.raises(OutputError, match="any more"):
        writer.flush()
    writer.close(complete=False, ended_at=ENDED)
    resumed = SnapshotWriter.resume(tmp_path / "s")
    assert resumed.finished == {("vaults", SUBSCRIPTIONS[0])}
    resumed.close(complete=True, ended_at=ENDED)
    assert [item.name for item in load(tmp_path / "s").vaults] == ["a"]


def test_a_refused_disk_is_never_called_complete(tmp_path: Path) -> None:
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    writer.add_page("role_assignments", SUBSCRIPTIONS[0], _noise(500))
    with full_disk(2000), pytest.raises(OutputError):
        writer.flush()
    with pytest.raises(OutputError):
        writer.close(complete=True, ended_at=ENDED)
    with pytest.raises(SnapshotError, match="incomplete"):
        open_snapshot(tmp_path / "s")


def test_a_disk_that_fills_while_resuming_can_be_resumed_again(tmp_path: Path) -> None:
    listings = [
        Listed("vaults", SUBSCRIPTIONS[0], (tuple(vault(os.urandom(9).hex()) for _ in range(200)),)),
        Listed("role_assignments", SUBSCRIPTIONS[0], (_noise(200),)),
        Listed("role_assignments", SUBSCRIPTIONS[1], (_noise(3),), fails=True),
        Listed("vaults", SUBSCRIPTIONS[1], (), fails=True),
    ]
    write_all(tmp_path / "s", listings, complete=False)
    with full_disk(3000), pytest.raises(OutputError):
        SnapshotWriter.resume(tmp_path / "s")
    writer = SnapshotWriter.resume(tmp_path / "s")
    assert writer.finished == {("vaults", SUBSCRIPTIONS[0]), ("role_assignments", SUBSCRIPTIONS[0])}
    writer.close(complete=True, ended_at=ENDED)
    assert len(load(tmp_path / "s").vaults) == 200


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError) as caught:
        SnapshotWriter.create(tmp_path / "file" / "s", header=HEADER)
    assert caught.value.hint


def test_lines_and_limits_agree() -> None:
    """What the writer may write, the reader must take."""
    assert layout.decode_item(b'{"from":"/","item":' + layout.encode("x" * 2**20) + b"}")[1] == "x" * 2**20
    values: list[Any] = [2**200, -(2**70), "\ud800", [[[]]] * 3, {"\ud800": 1.5}]
    for hard in values:
        assert layout.decode(layout.encode(hard)) == hard
    with pytest.raises(ValueError, match="JSON"):
        layout.encode(object())
