"""What is written is what is read; and who may write where."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writing import ENDED, HEADER, SUBSCRIPTIONS, TENANT, Listed, assignment, collections, load, said, vault, write_all

from kvaudit.errors import SnapshotError
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter, is_snapshot, remove_snapshot

# Whole numbers of 64 bits: JSON promises less (RFC 8259, 6), and orjson reads longer ones as floating point.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@settings(max_examples=50)
@given(items=st.lists(json_values, max_size=20), scope=st.text(max_size=20))
def test_items_come_back_as_they_were_sent(items: list[Any], scope: str) -> None:
    with TemporaryDirectory() as folder:
        path = write_all(Path(folder) / "s", [Listed("vaults", scope, (tuple(items),))])
        assert list(open_snapshot(path, verify=True).items("vaults")) == [(scope, item) for item in items]


@settings(max_examples=50)
@given(listings=collections, seed=st.randoms(use_true_random=False))
def test_an_estate_does_not_depend_on_the_order_of_listings_and_items(listings: list[Listed], seed: Any) -> None:
    shuffled = []
    for listing in listings:
        items = [item for page in listing.pages for item in page]
        seed.shuffle(items)
        shuffled.append(Listed(listing.kind, listing.scope, (tuple(items),), listing.fails))
    seed.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        one = load(write_all(Path(folder) / "one", listings))
        other = load(write_all(Path(folder) / "other", shuffled))
    assert said(one) == said(other)


def test_gaps_and_listings_come_back(tmp_path: Path) -> None:
    gap = Gap("vaults", "/subscriptions/x", "no <b>\u202e\n", 403, "AuthorizationFailed", "a/read", True, ENDED)
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    writer.add_gap(gap)
    writer.add_gap(gap)
    writer.add_page("vaults", SUBSCRIPTIONS[0], [])
    writer.add_page("vaults", SUBSCRIPTIONS[0].upper(), [vault("a")])
    writer.finish_listing("vaults", SUBSCRIPTIONS[0], items=5, pages=2, api_version="2026-02-01", asked_at=ENDED)
    writer.describe(tenant_id="changed")
    writer.close(complete=True, ended_at=ENDED)
    writer.close(complete=False, ended_at="later")
    snapshot = open_snapshot(tmp_path / "s", verify=True)
    assert snapshot.gaps() == (gap,)
    [listing] = snapshot.listings()
    assert (listing.items, listing.stored, listing.pages, listing.asked_at) == (5, 1, 2, ENDED)
    assert snapshot.manifest["api_versions"] == {"vaults": ["2026-02-01"]}
    assert snapshot.manifest["coverage"] == {"vaults": {"listings": 1, "items": 1, "gaps": 2}}
    assert (snapshot.tenant_id, snapshot.ended_at, snapshot.complete) == ("changed", ENDED, True)
    assert snapshot.manifest["scope"] == HEADER["scope"]


def test_a_header_cannot_make_itself_complete(tmp_path: Path) -> None:
    SnapshotWriter.create(tmp_path / "s", header={"state": "complete", "schema": "x", "files": {}})
    with pytest.raises(SnapshotError, match="incomplete"):
        open_snapshot(tmp_path / "s")


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        (tmp_path / "s").mkdir(mode=0o777)
        write_all(tmp_path / "s", [Listed("vaults", "/", ((vault("a"),),))])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700
    files = list((tmp_path / "s").iterdir())
    assert len(files) >= 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(SnapshotError, match="holds files") as refused:
        SnapshotWriter.create(tmp_path / "photos", header=HEADER)
    assert refused.value.hint
    write_all(tmp_path / "s", [])
    with pytest.raises(SnapshotError, match="holds a snapshot"):
        SnapshotWriter.create(tmp_path / "s", header=HEADER)
    with pytest.raises(SnapshotError, match="complete already"):
        SnapshotWriter.resume(tmp_path / "s")
    assert not is_snapshot(tmp_path / "photos")
    with pytest.raises(SnapshotError, match="left alone"):
        remove_snapshot(tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"
    remove_snapshot(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_two_processes_cannot_write_one_snapshot(tmp_path: Path) -> None:
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    with pytest.raises(SnapshotError, match="another process") as refused:
        SnapshotWriter.resume(tmp_path / "s")
    assert refused.value.hint
    writer.close(complete=False, ended_at=ENDED)
    SnapshotWriter.resume(tmp_path / "s").close(complete=True, ended_at=ENDED)
    assert open_snapshot(tmp_path / "s").complete


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from kvaudit.snapshot.writer import SnapshotWriter\n"
        "SnapshotWriter.create(Path(sys.argv[1]), header={}); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "s")], check=False)
    assert done.returncode == -9
    SnapshotWriter.resume(tmp_path / "s").close(complete=True, ended_at=ENDED)


def test_mistakes_of_the_caller_are_told(tmp_path: Path) -> None:
    writer = SnapshotWriter.create(tmp_path / "s", header=HEADER)
    with pytest.raises(ValueError, match="catalogue"):
        writer.add_page("../vaults", "/", [])
    writer.finish_listing("vaults", "/Subscriptions/A/", items=0, pages=1)
    with pytest.raises(ValueError, match="finished already"):
        writer.add_page("vaults", "/subscriptions/a", [])
    with pytest.raises(ValueError, match="finished already"):
        writer.finish_listing("vaults", "/subscriptions/a", items=0, pages=1)
    writer.close(complete=True, ended_at=ENDED)


def test_what_cannot_be_written_is_a_gap_and_the_rest_goes_on(tmp_path: Path) -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    huge = {"id": "x" * (17 * 2**20)}
    path = write_all(tmp_path / "s", [Listed("vaults", "/", ((deep, huge, vault("a")),))])
    while isinstance(deep, list):
        deep = deep.pop()
    estate = load(path)
    assert [item.name for item in estate.vaults] == ["a"]
    assert [(gap.kind, gap.scope, gap.code) for gap in estate.gaps] == [("vaults", "/", "UnreadableItem")]
    assert estate.was_read("vaults", "/")


def test_no_value_of_a_secret_reaches_the_disk(tmp_path: Path) -> None:
    place = vault("a")["id"]
    item = {"id": f"{place}/secrets/db", "value": "hunter2", "properties": {"value": "hunter2", "contentType": "t"}}
    path = write_all(tmp_path / "s", [Listed("secrets", place, ((item,),))])
    [(_, kept)] = open_snapshot(path).items("secrets")
    assert "hunter2" not in json.dumps(kept)
    [record] = load(path).objects
    assert (record.ref.name, record.content_type) == ("db", "t")


def test_a_run_reads_back_what_it_and_an_earlier_run_stored(tmp_path: Path) -> None:
    first = [assignment(1), assignment(2)]
    write_all(tmp_path / "s", [Listed("role_assignments", "/A", (tuple(first),))], complete=False)
    writer = SnapshotWriter.resume(tmp_path / "s")
    writer.add_page("role_assignments", "/b", [assignment(3)])
    writer.finish_listing("role_assignments", "/b", items=1, pages=1)
    for _ in range(2):
        assert writer.stored_items("role_assignments", "/a/") == first
        assert writer.stored_items("role_assignments", "/B") == [assignment(3)]
        assert writer.stored_items("role_assignments", "/c") == []
        assert writer.stored_items("vaults", "/a") == []
    writer.close(complete=True, ended_at=ENDED)
    assert open_snapshot(tmp_path / "s", verify=True).tenant_id == TENANT
