"""Members of groups, of which a large tenant has millions, read straight into columns.

Most items are the same text as one read before, in another group. What was understood once is remembered by that text;
everything else goes through the collector's parser, so there is one reading of an item.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kvaudit.collectors.directory import parse_member, parse_principal
from kvaudit.model.directory import Membership, Principal
from kvaudit.model.edges import Memberships, MembershipsBuilder
from kvaudit.snapshot.reader import Snapshot

KIND = "group_members"

_REMEMBERED = 4_000_000
"""Different items that are remembered: one for each principal of the largest tenants, about 250 bytes each."""


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """Everything that the members of a snapshot's groups say.

    Attributes:
        edges: the memberships.
        described: the members as directory objects, each description once.
        counts: items by the listing's scope.
        unreadable: listings with an item that could not be understood, each with why.
    """

    edges: Memberships
    described: list[Principal]
    counts: dict[str, int]
    unreadable: frozenset[tuple[str, str]]

    def with_further(self, further: Collection[Membership]) -> Memberships:
        """The memberships, and those that other lists told."""
        if not further:
            return self.edges
        builder = MembershipsBuilder()
        builder.take(self.edges)
        for edge in further:
            builder.add(edge)
        return builder.done()


def read_members(snapshot: Snapshot) -> GroupMembers:
    """Read the members of a snapshot's groups. Raises SnapshotError where the file is not as it was written."""
    unreadable: set[tuple[str, str]] = set()
    reader = MemberReader(partial(snapshot.decode, KIND), lambda scope, problem: unreadable.add((scope, str(problem))))
    reader.read(snapshot.lines(KIND))
    reader.forget()
    return GroupMembers(reader.edges.done(), list(reader.described), reader.counts, frozenset(unreadable))


class MemberReader:
    """Takes raw members of groups in.

    Args:
        decode: an item from its text.
        unreadable: told of an item that does not parse: the listing's scope, and why.

    Attributes:
        edges: the memberships.
        described: the members as directory objects, each description once.
        counts: items by the listing's scope.
    """

    def __init__(self, decode: Callable[[bytes], Any], unreadable: Callable[[str, Exception], None]) -> None:
        self._decode = decode
        self._unreadable = unreadable
        self.edges = MembershipsBuilder()
        self.described: dict[Principal, None] = {}
        self.counts: dict[str, int] = {}
        self._known: dict[bytes, int] = {}

    def read(self, batches: Iterable[tuple[str, list[bytes]]]) -> None:
        """Take in items as they stand in the file, with the scope that was listed. Listings may be interleaved."""
        known, counts = self._known, self.counts
        for scope, lines in batches:
            add = self._group(scope)
            counts[scope] = counts.get(scope, 0) + len(lines)
            numbers = list(map(known.get, lines))
            if add is not None and None not in numbers:
                add(numbers)
                continue
            for line in lines:
                number = known.get(line)
                if number is None or add is None:
                    self._parse(scope, line)
                else:
                    add([number])

    def forget(self) -> None:
        """Let go of what was remembered, when everything is read."""
        self._known = {}

    def _group(self, scope: str) -> Callable[[list[Any]], None] | None:
        try:
            group = parse_member({"id": "x"}, scope).group
        except ValueError:
            return None
        return self.edges.edges_of(group).fromlist

    def _parse(self, scope: str, line: bytes) -> None:
        raw = self._decode(line)
        try:
            edge = parse_member(raw, scope)
        except (KeyError, TypeError, ValueError) as problem:
            self._unreadable(scope, problem)
            return
        number = self.edges.number(edge.member, edge.member_type)
        self.edges.edges_of(edge.group).append(number)
        if line not in self._known:
            self.described[parse_principal(raw, "group_members")] = None
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[line] = number
