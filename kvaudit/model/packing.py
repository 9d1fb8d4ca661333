"""Texts of assignments in few bytes: names that are GUIDs, times, what stands before names, and values that many share."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

Value = TypeVar("Value")
Shown_co = TypeVar("Shown_co", covariant=True)

_GUID = 16

_NIL = "00000000-0000-0000-0000-000000000000"
WHOLE = 1 << 31
"""What is added to the number of a prefix that is kept as it is."""

BEFORE_NAME = "/providers/Microsoft.Authorization/roleAssignments/"

POOLED = 1 << 63
"""What is added to the number of a time that is kept as it is."""

_FIRST_YEAR = 1900
_FRACTION = 24
"""Bits that seven digits take."""


class Numbered(Protocol[Shown_co]):
    """Values by number. The numbers need not follow each other."""

    def __getitem__(self, number: int, /) -> Shown_co: ...


class Pool(Generic[Value]):
    """Values that are kept once, by number."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.numbers: dict[Value, int] = {}

    def number(self, value: Value) -> int:
        """The number of a value."""
        found = self.numbers.get(value)
        if found is None:
            found = self.numbers[value] = len(self.values)
            self.values.append(value)
        return found


class Prefixes:
    """What stands before the names in IDs, by number.

    Mostly that is the assignment's scope as Azure spelled it, and the same words after it, which are kept once.

    Attributes:
        places: scopes as they were spelled; their places are the numbers.
        whole: other prefixes; `WHOLE` is added to their places.
    """

    def __init__(self) -> None:
        self.places: list[str] = []
        self.whole: Pool[str] = Pool()

    def __getitem__(self, number: int) -> str:
        return self.whole.values[number - WHOLE] if number >= WHOLE else self.places[number] + BEFORE_NAME


class Times:
    """Times by number, or None. One in Azure's form is its own number: there may be as many as there are assignments."""

    def __init__(self) -> None:
        self.others: Pool[str | None] = Pool()

    def number(self, text: str | None) -> int:
        """The number of a time, below 2**64."""
        packed = packed_time(text) if text else None
        return POOLED + self.others.number(text) if packed is None else packed

    def __getitem__(self, number: int) -> str | None:
        return self.others.values[number - POOLED] if number >= POOLED else time_of(number)


def packed_time(text: str) -> int | None:
    """The number of a time such as `2021-09-08T11:12:13.1234567Z`, with up to seven digits of a second; None for others."""
    if text[10:11] != "T" or text[-1] != "Z":
        return None
    day, second, fraction = _day(text[:10]), _second(text[11:19]), text[19:-1]
    if day is None or second is None:
        return None
    whole = day << 17 | second
    if not fraction:
        return whole << _FRACTION + 3
    digits = fraction[1:]
    if fraction[0] != "." or len(digits) > 7 or not (digits.isascii() and digits.isdigit()):
        return None
    return (whole << _FRACTION | int(digits)) << 3 | len(digits)


def time_of(packed: int) -> str:
    """The time of a number of `packed_time`."""
    digits, fraction, whole = packed & 7, packed >> 3 & (1 << _FRACTION) - 1, packed >> 3 + _FRACTION
    day, second = whole >> 17, whole & (1 << 17) - 1
    shown = f".{fraction:0{digits}}" if digits else ""
    return (
        f"{_FIRST_YEAR + (day >> 9)}-{day >> 5 & 15:02}-{day & 31:02}"
        f"T{second >> 12:02}:{second >> 6 & 63:02}:{second & 63:02}{shown}Z"
    )


@lru_cache(maxsize=50_000)
def _day(text: str) -> int | None:
    """Year, month and day in 8, 4 and 5 bits."""
    numbers = _numbers(text, "-")
    if len(text) != 10 or numbers is None:
        return None
    year, month, day = numbers
    fits = text[4] == "-" and 0 <= year - _FIRST_YEAR < 256 and month < 16 and day < 32
    return ((year - _FIRST_YEAR) << 4 | month) << 5 | day if fits else None


@lru_cache(maxsize=100_000)
def _second(text: str) -> int | None:
    """Hour, minute and second in 5, 6 and 6 bits."""
    numbers = _numbers(text, ":")
    if len(text) != 8 or numbers is None:
        return None
    hour, minute, second = numbers
    fits = text[2] == ":" and hour < 32 and minute < 64 and second < 64
    return (hour << 6 | minute) << 6 | second if fits else None


def _numbers(text: str, between: str) -> Sequence[int] | None:
    """Three numbers of digits, the last two of two digits each."""
    parts = text.split(between)
    usual = len(parts) == 3 and text.isascii() and all(map(str.isdigit, parts)) and len(parts[1]) == len(parts[2]) == 2
    return list(map(int, parts)) if usual else None


def packed_name(name: str) -> bytes | None:
    """The 16 bytes of a GUID in lower case; None for anything else, and for the GUID of zeros."""
    if len(name) != 36 or name[8] + name[13] + name[18] + name[23] != "----":
        return None
    try:
        packed = bytes.fromhex(name.replace("-", ""))
    except ValueError:
        return None
    return packed if len(packed) == _GUID and any(packed) and name == name.lower() else None


def packed_names(names: Sequence[str]) -> bytes | None:
    """The same of many names of at most 36 characters, one after the other; None where one of them is something else."""
    text, number = "".join(names), len(names)
    digits = text.replace("-", "")
    if len(text) != 36 * number or len(digits) != 32 * number or text != text.lower() or _NIL in text:
        return None
    if any(text[place::36] != "-" * number for place in (8, 13, 18, 23)) or not digits.isalnum():
        return None
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None
