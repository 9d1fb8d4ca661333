"""Bytes of a file as text: bounded, with the encodings that editors leave behind, and binary files refused."""

from pathlib import Path
from typing import BinaryIO

from kvaudit.errors import UsageError

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes. Resource Manager takes templates of 4 MB; four times that is a file of something else."""

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class UnreadableFileError(UsageError):
    """A file that cannot be judged. The rest of the files are."""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        UnreadableFileError: it cannot be opened, is too large, is binary, or is in no encoding that we know.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise UnreadableFileError(f"{path}: {problem.strerror or problem}") from problem
    if len(data) > LARGEST_FILE:
        raise UnreadableFileError(
            f"{path}: larger than {LARGEST_FILE // 1024 // 1024} MB, which no file of this kind is",
            hint="Resource Manager takes templates of at most 4 MB; name the files that you mean.",
        )
    return decode(data, str(path))


def decode(data: bytes, name: str) -> str:
    """The text of bytes that begin with a byte order mark, or are UTF-8.

    Raises:
        UnreadableFileError: binary, or another encoding.
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        raise UnreadableFileError(
            f"{name}: not text in {encoding.removesuffix('-sig').upper()} (byte {problem.start})",
            hint="Save the file as UTF-8.",
        ) from problem
    if "\x00" in text:
        raise UnreadableFileError(f"{name}: a binary file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


_PART = 4 * 1024 * 1024
"""Bytes that are read at once; a multiple of the length of a character of every encoding below."""

_ORDERS = {
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


def read_loosely(stream: BinaryIO) -> str:
    """Text to look for patterns in: of any length and content, in bounded memory.

    Of more than 12 MB the first 4 and the last 4 to 8 are kept. What is not text in the encoding of its byte order mark, or in
    UTF-8, becomes replacement characters. Zeros, which truncated logs and UTF-16 without a mark hold, are left out.
    """
    first = part = stream.read(_PART)
    before = last = b""
    is_cut = False
    while len(part) == _PART:  # a terminal would have to be told twice that this is the end
        part = stream.read(_PART)
        is_cut = is_cut or bool(before)
        before, last = last, part
    encoding = next((name for mark, name in _ORDERS.items() if first.startswith(mark)), "utf-8")
    kept = (first, before + last) if is_cut else (first + before + last,)
    text = "\n".join(item.decode(encoding, "replace") for item in kept).removeprefix("\ufeff")
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
