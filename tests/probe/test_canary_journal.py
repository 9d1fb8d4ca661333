"""The notes of canaries: whose they are, who can read them, and that a full disk loses none."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from kvaudit.clients.canary_names import PREFIX
from kvaudit.errors import OutputError
from kvaudit.probe.journal import Journal

NAMES = [f"{PREFIX}{digit * 32}" for digit in "12"]


def test_a_note_that_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}x.json").write_text("[]")
    (tmp_path / f"{PREFIX}y.json").write_text("{")
    assert Journal(tmp_path).leftovers("kv-one.vault.azure.net") == ()


@pytest.mark.parametrize("name", [f"{PREFIX}x; rm -rf ~", f"{PREFIX}{'a' * 31}", f"{PREFIX}{'g' * 32}"])
def test_a_note_under_a_name_that_is_no_canarys_is_passed_over(name: str, tmp_path: Path) -> None:
    host = "kv-one.vault.azure.net"
    (tmp_path / f"{name}.json").write_text(json.dumps({"schema": "kvaudit/canary/1", "host": host, "name": name}))
    assert Journal(tmp_path).leftovers(host) == ()


def test_a_full_disk_does_not_lose_the_note_of_an_earlier_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, journal = "kv-one.vault.azure.net", Journal(tmp_path)
    journal.write(host, NAMES[0])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        for name in NAMES[:2]:
            with pytest.raises(OutputError):
                journal.write(host, name)
    assert journal.leftovers(host) == (NAMES[0],)
    assert [item.name for item in tmp_path.iterdir()] == [f"{NAMES[0]}.json"]


def test_nobody_else_can_read_a_note(tmp_path: Path) -> None:
    Journal(tmp_path / "notes").write("kv-one.vault.azure.net", NAMES[0])
    assert stat.S_IMODE((tmp_path / "notes").stat().st_mode) == 0o700
    assert {stat.S_IMODE(item.stat().st_mode) for item in (tmp_path / "notes").iterdir()} == {0o600}


def test_a_note_that_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.write("kv-one.vault.azure.net", NAMES[0])
    assert journal.forget(NAMES[0]) == ""

    def refused(_: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    assert "Permission denied" in journal.forget(NAMES[0])
