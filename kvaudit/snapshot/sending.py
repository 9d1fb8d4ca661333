"""What one process read of a snapshot, as bytes for another: texts as JSON, and columns of numbers as they lie in memory."""

from array import array
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from kvaudit.model.assignments import AssignmentsBuilder, Rare
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.edges import Memberships
from kvaudit.snapshot import layout
from kvaudit.snapshot.assignments import AssignmentsPart
from kvaudit.snapshot.members import GroupMembers

_DESCRIPTION = tuple(item.name for item in fields(Principal))
_NUMBERS = (("pairs", "Q"), ("groups", "I"), ("starts", "Q"), ("members", "I"))
"""The columns of memberships that are numbers, with the types of their arrays."""

_POOLS = ("scopes", "powers", "principals", "types")
"""The pools of assignments whose values JSON takes as they are."""


def packed_members(found: GroupMembers) -> list[bytes]:
    """The members of groups as `unpacked_members` takes them."""
    edges = found.edges
    texts = {
        "names": list(edges.names),
        "types": list(edges.types),
        "described": [list(map(attrgetter(name), found.described)) for name in _DESCRIPTION],
        "counts": list(found.counts.items()),
        "unreadable": list(found.unreadable),
    }
    return [layout.encode(texts), *(getattr(edges, name).tobytes() for name, _ in _NUMBERS)]


def unpacked_members(parts: Sequence[bytes]) -> GroupMembers:
    """The members that were packed."""
    texts = layout.decode(parts[0])
    numbers = [array(kind, part) for (_, kind), part in zip(_NUMBERS, parts[1:], strict=True)]
    described = dict(zip(_DESCRIPTION, texts["described"], strict=True))
    described["state"] = map(PrincipalState, described["state"])
    described["alternative_names"] = map(tuple, described["alternative_names"])
    return GroupMembers(
        Memberships(texts["names"], texts["types"], *numbers),
        list(map(Principal, *(described[name] for name in _DESCRIPTION))),
        dict(texts["counts"]),
        frozenset((scope, why) for scope, why in texts["unreadable"]),
    )


def packed_assignments(found: AssignmentsPart) -> list[bytes]:
    """A part of the role assignments as `unpacked_assignments` takes them."""
    rows = found.rows
    texts = {
        **{name: getattr(rows, name).values for name in _POOLS},
        "listings": list(map(list, rows.listings.values)),
        "times": rows.created.others.values,
        "places": rows.prefixes.places,
        "prefixes": rows.prefixes.whole.values,
        "rare": [(row, *item) for row, item in rows.rare.items()],
        "counts": list(found.counts.items()),
        "unreadable": list(found.unreadable),
    }
    return [layout.encode(texts), *map(bytes, rows.columns)]


def unpacked_assignments(parts: Sequence[bytes]) -> AssignmentsPart:
    """The part that was packed."""
    texts = layout.decode(parts[0])
    rows = AssignmentsBuilder()
    for name in _POOLS:
        getattr(rows, name).values = texts[name]
    rows.powers.values = list(map(tuple, texts["powers"]))
    rows.listings.values = list(map(frozenset, texts["listings"]))
    rows.created.others.values = texts["times"]
    rows.prefixes.places = texts["places"]
    rows.prefixes.whole.values = texts["prefixes"]
    rows.rare = {row: Rare(*item) for row, *item in texts["rare"]}
    for column, part in zip(rows.columns[:7], parts[1:8], strict=True):
        column.frombytes(part)
    rows.names += parts[8]
    return AssignmentsPart(rows, dict(texts["counts"]), {(scope, why) for scope, why in texts["unreadable"]})
