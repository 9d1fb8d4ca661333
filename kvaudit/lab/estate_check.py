"""Checks a document against a form: which keys an entry has and what may stand under them.

Everything that is out of form is noted with its place and taken out of the document, so that what remains can be compiled
and the mistakes of both come out together.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kvaudit.lab.estate_yaml import Mistakes, Place, Rows, Table


@dataclass(frozen=True, slots=True)
class Form:
    """What may stand under a key: `wanted` says it in words, `fits` decides."""

    wanted: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping with known keys.

    Attributes:
        what: what it is called in mistakes.
        keys: what may stand under each key.
        required: keys that must be there; an entry without one is dropped.
        short: the key that a plain text stands for, where one may be written instead of a mapping.
    """

    what: str
    keys: Mapping[str, "Form | Entry | Many"]
    required: tuple[str, ...] = ()
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list of entries."""

    entry: Entry


def check_form(document: Table, form: Entry, mistakes: Mistakes) -> None:
    """Notes what is out of form and takes it out of the document."""
    _entry(document, form, mistakes)


def _entry(table: Table, form: Entry, mistakes: Mistakes) -> bool:
    """Checks the keys of a mapping; false when it lacks what it needs and is better dropped."""
    complete = True
    for key in list(table):
        if key not in form.keys:
            near = difflib.get_close_matches(key, form.keys, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(form.keys))}"
            mistakes.add(table.where(key), f"{form.what} has no {key!r}; {hint}")
            del table[key]
        elif not _fits(table, key, form.keys[key], mistakes):
            del table[key]
            complete = complete and key not in form.required
    missing = [key for key in form.required if key not in table and key not in table.places]
    if missing:
        mistakes.add(table.place, f"{form.what} lacks {', '.join(missing)}")
    return complete and not missing


def _fits(table: Table, key: str, form: Form | Entry | Many, mistakes: Mistakes) -> bool:
    value, place = table[key], table.where(key)
    if isinstance(form, Form):
        if form.fits(value):
            return True
        mistakes.add(place, f"{key} is {_told(value)}; it has to be {form.wanted}")
        return False
    if isinstance(form, Entry):
        if isinstance(value, Table):
            return _entry(value, form, mistakes)
        mistakes.add(place, f"{key} is {_told(value)}; it has to be a mapping")
        return False
    if not isinstance(value, Rows):
        mistakes.add(place, f"{key} is {_told(value)}; it has to be a list")
        return False
    _rows(value, form.entry, mistakes)
    return True


def _rows(rows: Rows, form: Entry, mistakes: Mistakes) -> None:
    """Checks every entry of a list and keeps the ones that are whole; short ones become mappings."""
    kept: list[tuple[Any, Place]] = []
    for item, place in zip(rows, rows.places, strict=True):
        entry = item
        if form.short is not None and isinstance(item, str) and item:
            entry = Table(place)
            entry[form.short] = item
            entry.places[form.short] = place
        if not isinstance(entry, Table):
            mistakes.add(place, f"{_told(item)} stands where {form.what} should; it has to be a mapping")
        elif _entry(entry, form, mistakes):
            kept.append((entry, place))
    rows[:] = [item for item, _ in kept]
    rows.places[:] = [place for _, place in kept]


def _told(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Table):
        return "a mapping"
    if isinstance(value, Rows):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)[:60]
