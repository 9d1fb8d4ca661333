r"""Text of unknown origin made harmless where a person or a program reads it line by line.

Names, tags, conditions and messages come from the tenant. Characters that steer a terminal, turn the reading direction or
cannot be seen are shown as `\u202e`, and the openings of build-log commands lose their meaning: GitHub Actions obeys
`::error::` at the start of a line, Azure Pipelines obeys `##vso[` and `##[` anywhere in one. JSON stays data: see
`kvaudit.report.json_lines`.
"""

import re
import unicodedata

_SUSPECT = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\u02ff]")
"""Everything but the letters and signs that are certainly harmless: most text has none of it and is done at once."""

_TWICE = re.compile(r":(?=:)|#(?=#)")
"""A colon or hash that another one follows: a hair space between them ends what a build log looks for."""

_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What begins a formula; the wide forms do so in spreadsheets of East Asia (OWASP, "CSV Injection")."""

_FORMULA = (*_SIGNS, "\t", "\r")
_FORMULA_AFTER_SEMICOLON = re.compile(rf"(;[\s\"]*)(?=[{re.escape(_SIGNS)}])")
"""Where the comma is the decimal mark, spreadsheets open a comma-separated file with the semicolon between cells."""


def visible(text: str, *, limit: int | None = None) -> str:
    r"""The text on one line, with control, formatting, private-use and other unseen characters as `\u....`.

    Args:
        text: of any origin.
        limit: characters kept; None keeps all. What was cut is told.
    """
    cut = "" if limit is None or len(text) <= limit else f" … ({len(text)} characters)"
    return _SUSPECT.sub(_shown, text[:limit]) + cut


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    category = unicodedata.category(character)
    # C*: control, format (bidi marks, zero-width), surrogate, private use, unassigned. Zl, Zp: line separators.
    if category[0] == "C" or category in {"Zl", "Zp"} or character in "\u115f\u1160\u3164\uffa0":
        return f"\\u{ord(character):04x}"
    return " " if category == "Zs" else character


def line_safe(text: str, *, limit: int | None = None) -> str:
    """`visible`, and no build log takes any part of it for a command, wherever in a line it stands."""
    return _TWICE.sub("\\g<0>\u200a", visible(text, limit=limit))


def csv_cell(text: str) -> str:
    """`line_safe`, and no spreadsheet takes it for a formula: such a cell begins with an apostrophe, wherever it may begin."""
    # Looked at before control characters are shown: a spreadsheet skips leading blanks, of which there are many.
    dangerous = text.lstrip(" \n").startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    safe = _FORMULA_AFTER_SEMICOLON.sub(r"\1'", line_safe(text))
    return f"'{safe}" if dangerous else safe


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 vault`, `2,000 vaults`."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
