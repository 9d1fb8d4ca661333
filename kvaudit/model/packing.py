"""Texts of assignments in few bytes: names that are GUIDs, times, what stands before names, and values that many share."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

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
    fraction = text[19:-1]
    try:
        whole = _MONTHS[text[:8]] | _HOURS[text[8:14]] | _SECONDS[f"{text[14:19]}."]
    except ValueError:
        return None
    if text[-1] != "Z":
        return None
    if not fraction:
        return whole
    digits = fraction[1:]
    if fraction[0] != "." or len(digits) > 7 or not (digits.isascii() and digits.isdigit()):
        return None
    return whole | int(digits) << 3 | len(digits)


def packed_times(texts: Sequence[Any]) -> list[int] | None:
    """The same of many that all have digits of a second; None where one of them is something else."""
    try:
        wholes = [_MONTHS[text[:8]] | _HOURS[text[8:14]] | _SECONDS[text[14:20]] for text in texts]
        ends = " ".join([text[20:] for text in texts]) + " "
    except (LookupError, TypeError, ValueError):
        return None
    *fractions, rest = ends.split("Z ")
    digits, lengths = "".join(fractions), list(map(len, fractions))
    # As many as there are texts, with nothing but digits in them: so each text ends with the Z that follows its digits.
    usual = len(fractions) == len(texts) and not rest and digits.isascii() and digits.isdigit()
    if not usual or min(lengths) < 1 or max(lengths) > 7:
        return None
    numbers = map(int, fractions)
    return [whole | number << 3 | length for whole, number, length in zip(wholes, numbers, lengths, strict=True)]


def time_of(packed: int) -> str:
    """The time of a number of `packed_time`."""
    digits, fraction, whole = packed & 7, packed >> 3 & (1 << _FRACTION) - 1, packed >> 3 + _FRACTION
    day, second = whole >> 17, whole & (1 << 17) - 1
    shown = f".{fraction:0{digits}}" if digits else ""
    return (
        f"{_FIRST_YEAR + (day >> 9)}-{day >> 5 & 15:02}-{day & 31:02}"
        f"T{second >> 12:02}:{second >> 6 & 63:02}:{second & 63:02}{shown}Z"
    )


class _Known(dict[str, int]):
    """The bits of a part of a time, read when it is met for the first time. There are at most 4,096 of each.

    Args:
        read: the bits of a text. Raises ValueError.
    """

    def __init__(self, read: Callable[[str], int]) -> None:
        self._read = read

    def __missing__(self, text: str) -> int:
        bits = self[text] = self._read(text)
        return bits


def _month(text: str) -> int:
    """Year and month of `2021-09-` in 8 and 4 bits."""
    year, month = _two_numbers(text, 4, "--")
    if not 0 <= year - _FIRST_YEAR < 256 or month > 15:
        raise ValueError("too large")
    return ((year - _FIRST_YEAR) << 4 | month) << 22 + _FRACTION + 3


def _hour(text: str) -> int:
    """Day and hour of `08T11:` in 5 bits each."""
    day, hour = _two_numbers(text, 2, "T:")
    if day > 31 or hour > 31:
        raise ValueError("too large")
    return (day << 5 | hour) << 12 + _FRACTION + 3


def _second(text: str) -> int:
    """Minute and second of `12:13.` in 6 bits each."""
    minute, second = _two_numbers(text, 2, ":.")
    if minute > 63 or second > 63:
        raise ValueError("too large")
    return (minute << 6 | second) << _FRACTION + 3


def _two_numbers(text: str, digits: int, between: str) -> tuple[int, int]:
    """A number of some digits and one of two, each with a sign after it. Raises ValueError where it is something else."""
    first, second = text[:digits], text[digits + 1 : digits + 3]
    usual = len(text) == digits + 4 and text[digits] + text[-1] == between
    if not usual or not text.isascii() or not (first + second).isdigit():
        raise ValueError("no two numbers")
    return int(first), int(second)


_MONTHS, _HOURS, _SECONDS = _Known(_month), _Known(_hour), _Known(_second)
"""A day and the time in it would be so many texts that each is looked for in slow memory."""


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
