"""Versions, and the highest one that a constraint of each ecosystem lets in."""

import re
from dataclasses import dataclass

_TERM = re.compile(r"(===?|~=|~>|>=|<=|!=|\^|~|>|<|=)?\s*v?(\d+(?:\.(?:\d+|[*xX]))*(?:[-+.]?[A-Za-z][\w.+-]*)?|[*xX])")
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Highest:
    """The upper end of a constraint.

    Attributes:
        version: None for the latest.
        is_below: the version itself is not let in.
    """

    version: str | None = None
    is_below: bool = False


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a release: `4.81.0` -> (4, 81, 0); pre-releases count as their release, zeros at the end not at all."""
    release = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    found = [int(part[:18]) for part in _NUMBERS.findall(release[1])] if release else []
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def highest(constraint: str, ecosystem: str) -> Highest:
    """The highest version that a constraint lets in; latest where it names no upper end, or one that cannot be read."""
    if ecosystem in ("nuget", "go", "maven"):
        return _written(constraint)
    alternatives = [_of_all(part, ecosystem) for part in constraint.split("||")]
    if any(item.version is None for item in alternatives):
        return Highest()
    return max(alternatives, key=lambda item: (numbers(item.version or ""), not item.is_below))


def _written(constraint: str) -> Highest:
    """NuGet takes the lowest version that fits, Go and Maven the one that is written; a star takes the latest that fits.

    Source: Microsoft Learn "NuGet package dependency resolution" (lowest applicable version), Go's "Minimal version
    selection".
    """
    found = _TERM.search(constraint)
    if not found or found[2] in ("*", "x", "X"):
        return Highest()
    return _below(found[2], 1) if found[2].endswith(("*", "x", "X")) else Highest(found[2])


def _of_all(constraint: str, ecosystem: str) -> Highest:
    """Of terms that all hold: the lowest of their upper ends."""
    ends = [end for found in _TERM.finditer(constraint) if (end := _end(found[1] or "", found[2], ecosystem)).version]
    if not ends:
        return Highest()
    return min(ends, key=lambda item: (numbers(item.version or ""), not item.is_below))


def _end(sign: str, version: str, ecosystem: str) -> Highest:
    """The upper end of one term."""
    parts = re.split(r"[.+-]", version)
    if version in ("*", "x", "X") or sign in (">=", ">", "!="):
        return Highest()
    if version.endswith(("*", "x", "X")):
        return _below(version, 1)
    if sign == "<":
        return Highest(version, is_below=True)
    if sign in ("~=", "~>"):
        return _below(version, 1) if len(parts) > 1 else Highest()
    if sign == "^":
        leading = next((at for at, part in enumerate(parts) if part != "0"), len(parts) - 1)
        return _raised(parts, leading)
    if sign == "~":
        return _raised(parts, min(1, len(parts) - 1))
    if not sign and ecosystem == "npm" and len(parts) < 3:
        return _raised(parts, len(parts) - 1)
    return Highest(version)


def _below(version: str, dropped: int) -> Highest:
    """`4.2` and `4.*` end below 5; `4.2.1` and `4.2.*` below 4.3."""
    parts = version.split(".")[:-dropped]
    return _raised(parts, len(parts) - 1) if parts else Highest()


def _raised(parts: list[str], at: int) -> Highest:
    kept = parts[: at + 1]
    if not all(part.isdigit() for part in kept):
        return Highest()
    return Highest(".".join([*kept[:-1], str(int(kept[-1]) + 1)]), is_below=True)
