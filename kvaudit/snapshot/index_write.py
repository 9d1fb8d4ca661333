"""From an estate to its index: what a question about one vault needs, by vault, subscription, group and principal.

Not every estate gets one. Where an answer about one vault turns on records that stand anywhere (`is_plain`), the whole
snapshot is loaded each time.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from kvaudit.model import scopes
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.edges import TYPE_BITS
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.packing import Numbered
from kvaudit.snapshot.index_file import IndexWriter
from kvaudit.snapshot.lock import take_lock

BY_KEY = ("vaults", "role_assignments", "principals", "memberships", "member_of", "listings")
"""The fields of an estate of which a question about one vault needs a small part. The others are kept whole."""

WHOLE = tuple(item.name for item in fields(Estate) if item.name not in BY_KEY)

KEY_VAULT_APP = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
"""Azure Key Vault's application: whether its service principal is here decides what is known of consents (azure.md 8)."""

MANY_GROUPS = 200
"""Groups beyond which their number decides something (facts azure.md 1.5)."""

LEAVES = frozenset({"User", "Device"})
"""Types of those who have no members."""

_DIRECTORY = ("groups/", "serviceprincipals/")


def place_key(scope: str) -> str:
    """Under which key records at a folded scope, and listings of it, are kept: the subscription; "" above all of them."""
    return scopes.subscription_of(scope) or ""


def listing_key(scope: str) -> str:
    """The same for a listing: those of one group or service principal have a key of their own."""
    folded = scopes.fold(scope)
    return folded if folded.startswith(_DIRECTORY) else place_key(folded)


def is_plain(estate: Estate) -> bool:
    """Whether an answer about one vault turns only on what stands at it, above it, and on whom that names.

    It does not where records name principals of other tenants, since whether an ID is also one of this tenant turns on
    every record, nor where memberships and the directory disagree of what type a principal is, or memberships alone say it
    of one whom a record names.
    """
    home = (estate.tenant_id or "").casefold()
    if estate.delegations or any(True for _ in estate.assignment_columns.delegated_rows()):
        return False
    for vault in estate.vaults:
        if any(home and item.tenant_id and item.tenant_id.casefold() != home for item in vault.access_policies or ()):
            return False
    edges = estate.membership_columns
    types: dict[str, str | None] = {}
    groups = frozenset((*edges.group_names(), *chain.from_iterable(estate.member_of.values())))
    untyped = _named_without_type(estate)
    for member, kind in edges.members_and_types():
        known = getattr(estate.principals.get(member), "type", None)
        if types.setdefault(member, kind) != kind or (known and kind and known != kind):
            return False
        if kind and not known and member in untyped:
            return False
        if kind in LEAVES and member in groups:
            return False
    return True


def _named_without_type(estate: Estate) -> frozenset[str]:
    """Whom records name that do not say what they are: access policies never do."""
    denied = (item for deny in estate.deny_assignments for item in (*deny.principals, *deny.exclude_principals))
    return frozenset(
        chain(
            (entry.object_id for vault in estate.vaults for entry in vault.access_policies or ()),
            (item.id.casefold() for item in denied),
            (name for name, kind in estate.assignment_columns.recorded_types.items() if not kind),
            (item.principal_id for item in estate.schedule_instances if not item.principal_type),
            (item.principal_id for item in estate.group_schedule_instances),
        )
    )


def write_index(path: Path, estate: Estate, made_from: str) -> None:
    """Put an index in place at once: readers see the old one, none, or the new one whole.

    What writers left that were killed half way is removed: the lock of a writer ends with its process.

    Raises:
        SnapshotError: another process is writing it.
        OSError: it cannot be written.
        ValueError: a record cannot be written as JSON.
    """
    if path.parent.is_symlink():
        raise OSError("the folder of the index leads out of the snapshot")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    lock = take_lock(path.parent)
    try:
        for left in path.parent.glob(f"{path.name}.*"):
            left.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(file, estate, made_from)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    finally:
        os.close(lock)


def _write(file: BinaryIO, estate: Estate, made_from: str) -> None:
    writer = IndexWriter(file, made_from)
    writer.table("estate", WHOLE, lambda name: getattr(estate, name), together=1)
    vaults = {vault.scope: vault for vault in estate.vaults}
    writer.table("vaults", vaults, vaults.__getitem__, together=16)
    named: defaultdict[str, list[str]] = defaultdict(list)
    for vault in estate.vaults:
        named[vault.name.casefold()].append(vault.scope)
    writer.table("vault_names", named, named.__getitem__, together=256)
    _write_assignments(writer, estate.assignment_columns)
    _write_listings(writer, estate.listings)
    _write_directory(writer, estate)
    writer.close()


def _write_assignments(writer: IndexWriter, assignments: RoleAssignments) -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for scope in assignments.starts:
        places[place_key(scope)].append(scope)
    rare_rows = frozenset(assignments.rare)
    writer.table("role_assignments", places, lambda key: _part(assignments, places[key], rare_rows), together=1)


def _part(assignments: RoleAssignments, found: Iterable[str], rare_rows: frozenset[int]) -> dict[str, Any]:
    """The rows of some scopes, with the values that they use."""
    starts: dict[str, tuple[int, int]] = {}
    rows: list[int] = []
    for scope in found:
        here = assignments.rows_at(scope)
        starts[scope] = (len(rows), len(rows) + len(here))
        rows.extend(here)
    columns = []
    pooled: tuple[Numbered[Any], ...] = assignments.values
    for numbers, values in zip(assignments.columns[:7], pooled, strict=True):
        mine = list(map(numbers.__getitem__, rows))
        used = {number: place for place, number in enumerate(dict.fromkeys(mine))}
        columns.append({"values": [values[number] for number in used], "numbers": [used[number] for number in mine]})
    names = assignments.columns.names
    rare = {}
    if rare_rows:
        rare = {str(place): list(assignments.rare[row]) for place, row in enumerate(rows) if row in rare_rows}
    return {
        "starts": starts,
        "columns": columns,
        "names": b"".join([names[row * 16 : row * 16 + 16] for row in rows]).hex(),
        "rare": rare,
    }


def _write_listings(writer: IndexWriter, listings: Iterable[Listing]) -> None:
    by_key: defaultdict[str, list[Listing]] = defaultdict(list)
    kinds: dict[str, Listing] = {}
    for item in listings:
        by_key[listing_key(item.scope)].append(item)
        kinds.setdefault(item.kind, item)
    writer.table("listings", by_key, by_key.__getitem__, together=16)
    writer.table("kinds", ("",), lambda _: list(kinds.values()), together=1)


def _write_directory(writer: IndexWriter, estate: Estate) -> None:
    recorded = estate.assignment_columns.recorded_types
    crowded = _crowded(estate)
    everybody = dict.fromkeys((*estate.principals, *recorded, *estate.member_of, *crowded))
    writer.table(
        "principals",
        everybody,
        lambda key: {
            "described": estate.principals.get(key),
            "recorded": [recorded[key]] if key in recorded else None,
            "member_of": estate.member_of.get(key),
            "stands_in": crowded.get(key),
        },
        together=8,
    )
    edges = estate.membership_columns
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for member, groups in estate.member_of.items():
        for group in groups:
            asked[group].append(member)
    writer.table(
        "members",
        dict.fromkeys((*edges.group_names(), *asked)),
        lambda key: {"listed": edges.members_of(key), "asked": asked.get(key, [])},
        together=1,  # a group may have a hundred thousand
    )
    names = {"names": list(edges.names), "types": list(edges.types), "pairs": list(edges.pairs)}
    writer.table("names", ("",), lambda _: names, together=1)
    writer.table("witnesses", ("",), lambda _: _witnesses(estate), together=1)


def _crowded(estate: Estate) -> dict[str, tuple[int, list[str]]]:
    """Those who may be in so many groups that access policies turn on their number, and all groups that are in groups.

    For each its place in `Memberships.pairs`, and the groups that it stands in directly. Others are read from their groups
    down: in which further groups they are decides nothing.
    """
    edges = estate.membership_columns
    numbers = [item >> TYPE_BITS for item in edges.pairs]
    groups = frozenset(edges.groups)
    inner = frozenset(item for item, number in enumerate(numbers) if number in groups)
    nested: dict[int, list[int]] = {}
    for place, group in enumerate(edges.groups):
        for item in inner.intersection(edges.members[edges.starts[place] : edges.starts[place + 1]]):
            nested.setdefault(numbers[item], []).append(group)
    counts = [0] * len(edges.names)
    for place, group in enumerate(edges.groups):
        weight = _groups_above(group, nested)
        for item in edges.members[edges.starts[place] : edges.starts[place + 1]]:
            counts[numbers[item]] += weight
    asked = estate.member_of
    many = {
        number
        for number, count in enumerate(counts)
        if number in nested or (count and count + len(asked.get(edges.names[number], ())) > MANY_GROUPS)
    }
    found: dict[str, tuple[int, list[str]]] = {}
    wanted = frozenset(item for item, number in enumerate(numbers) if number in many)
    for place, group in enumerate(edges.groups) if wanted else ():
        for item in sorted(wanted.intersection(edges.members[edges.starts[place] : edges.starts[place + 1]])):
            found.setdefault(edges.names[numbers[item]], (item, []))[1].append(edges.names[group])
    return found


def _groups_above(group: int, nested: dict[int, list[int]]) -> int:
    """How many groups one is in who is in a group, that one included; of more than matter only that many."""
    seen, waiting = {group}, [group]
    while waiting and len(seen) <= MANY_GROUPS:
        fresh = set(nested.get(waiting.pop(), ())) - seen
        seen |= fresh
        waiting.extend(fresh)
    return len(seen)


def _witnesses(estate: Estate) -> list[str]:
    """Principals whose mere being there decides something about others (`Directory.all_service_principals_asked`)."""
    gaps = frozenset(scopes.fold(gap.scope) for gap in estate.gaps)
    services = [item.id for item in estate.principals.values() if item.type == "ServicePrincipal"]
    found = [item.id for item in estate.principals.values() if item.app_id == KEY_VAULT_APP][:1]
    found += [item for item in services if item not in estate.member_of][:1]
    found += [item for item in services if f"serviceprincipals/{item}" in gaps][:1]
    return found
