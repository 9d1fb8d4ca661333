"""Output files: whole or not at all, and what is no file (a pipe, a device, an open stream) is written to, never replaced."""

import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from kvaudit.app.files import write_whole


def render(out: BinaryIO) -> None:
    out.write(b"all of it\n")


def test_a_named_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, render)
    reader.join(timeout=10)
    assert read == [b"all of it\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_to_a_device_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_whole(link, render)
    assert link.is_symlink()
    assert list(tmp_path.iterdir()) == [link]


def test_an_open_stream_can_be_named_also_when_a_file_is_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before\n")
    with path.open("ab") as stream:
        write_whole(Path(f"/dev/fd/{stream.fileno()}"), render)
    assert path.read_bytes() == b"before\nall of it\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "out"
    path.parent.mkdir()
    path.write_bytes(b"something longer that was there before\n")
    write_whole(path, render)
    assert path.read_bytes() == b"all of it\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
