"""The page about estate files names every section and key that the form has, and no other."""

import re
from pathlib import Path

from kvaudit.lab.estate_check import Entry, Form, Many
from kvaudit.lab.estate_form import ESTATE

PAGE = Path(__file__).parents[2] / "docs" / "estate-files.md"


def keys(entry: Entry) -> set[str]:
    """Every key at any depth."""
    found = set(entry.keys)
    for form in entry.keys.values():
        inner = form.entry if isinstance(form, Many) else form
        if not isinstance(inner, Form):
            found |= keys(inner)
    return found


def test_every_key_is_told() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`([a-z_]+)[`:]", "\n".join(rows)))
    assert keys(ESTATE) - {"arm", "graph"} <= told
    assert told - keys(ESTATE) == {"member", "owner"}, "what access may be"


def test_every_section_stands_in_its_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in ESTATE.keys if f"`{name}`" not in text] == []
