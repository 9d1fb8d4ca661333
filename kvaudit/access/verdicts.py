"""From the records that reach a place to what one principal holds there.

The order (ARCHITECTURE.md, decision 3), per operation: a certain unconditional grant → allowed; else a conditional one →
conditional; else a gap that could hold a grant → unknown; else denied. Then denies: a certain one → denied; a possible
one, or a deny listing that was not read, turns allowed and conditional into unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.denies import Meets, doubts, meets, possible_citation, reaches, taken
from kvaudit.access.directory import Directory
from kvaudit.access.grants import Given, Grants
from kvaudit.access.memberships import Awaited, Way, chain_end
from kvaudit.access.places import Layer, Place
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment
from kvaudit.model.gaps import Gap, once

GROUPS_IN_A_TOKEN = 200
"""Groups that a token names before it names none; how Key Vault resolves more for access policies is not established
(facts azure.md 1.5)."""


_STEPS = 2
"""Steps whose combinations are all tried: neither, either, both. Of more, each and all together are."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one principal holds at one place.

    Attributes:
        allowed, conditional, unknown: no operation stands in two of them.
        citations: every record and gap that has a say, with the operations that it touches.
        gaps: the gaps among them.
    """

    allowed: int
    conditional: int
    unknown: int
    citations: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def held(self) -> int:
        """Operations that are not denied."""
        return self.allowed | self.conditional | self.unknown


@dataclass(frozen=True, slots=True)
class _Standing:
    """What grants and denies leave: certain, conditional, in doubt by the grants, and shaken by a deny.

    `veils` are gaps that hide whether a deny meets the principal, each with the operations that it would take.
    """

    allowed: int
    conditional: int
    doubtful: int
    shaken: int
    veils: tuple[tuple[Gap, int], ...]


class Judge:
    """Combines grants, gaps and denies."""

    def __init__(self, directory: Directory, grants: Grants) -> None:
        self._directory = directory
        self._grants = grants

    def verdict(self, principal_id: str, place: Place, *, pairs: bool = True) -> Verdict:
        """What a principal holds.

        Args:
            principal_id: folded.
            place: the vault or object.
            pairs: whether entries that need an application beside the principal count (as conditional).
        """
        return self._combine(principal_id, place, tuple(self._given(principal_id, place, pairs=pairs)))

    def pair_verdict(self, principal_id: str, application_id: str, place: Place) -> Verdict:
        """What a principal holds only while an application acts for it, by the entries that name both."""
        given = (item for layer in place.layers for item in self._pairs(principal_id, layer, application_id))
        return self._combine(principal_id, place, tuple(given))

    def stranger_verdict(self, place: Place, *, members: bool) -> Verdict:
        """What somebody may hold whom nobody could name: behind a listing that was not read.

        Args:
            place: the vault or object.
            members: whether members of groups that were not read count. Without, their group stands for them.
        """
        given: list[Given] = []
        if members:
            for layer in place.layers:
                for holder in layer.principals():
                    gaps = self._directory.hides_members(holder)
                    if gaps:
                        paired = (item for pair, items in layer.pairs.items() if pair[0] == holder for item in items)
                        given.extend(_doubtful(item, (), gaps) for item in (*self._of(holder, layer, place), *paired))
        return self._combine(None, place, tuple(given))

    def _given(self, principal_id: str, place: Place, *, pairs: bool) -> Iterator[Given]:
        """Everything that names the principal or a group that it is, or may be, in."""
        if self._directory.type_of(principal_id) == "Application":
            return
        chains, ways = self._directory.chains_up(principal_id), self._directory.ways_up(principal_id)
        for layer in place.layers:
            yield from self._of(principal_id, layer, place)
            if pairs:
                yield from self._pairs(principal_id, layer)
            groups = layer.groups(self._directory)
            if not groups:
                continue
            for holder in sorted(groups & chains.keys()):
                for item in self._of(holder, layer, place):
                    yield self._through(item, principal_id, chains[holder], len(chains))
            for holder in sorted(groups & ways.keys()):
                for item in self._of(holder, layer, place):
                    yield self._after(item, principal_id, ways[holder], len(chains))
            doubted = self._directory.in_doubt(principal_id, groups, layer.shady(self._directory))
            for holder in sorted(doubted - chains.keys()):
                gaps = self._directory.doubt(principal_id, holder)
                for item in self._of(holder, layer, place):
                    yield _doubtful(item, (holder,), gaps)
            for holder in sorted(layer.veiled(self._directory) - doubted - chains.keys()):
                if gaps := self._directory.eligibility_doubt(principal_id, holder):
                    yield from (_doubtful(item, (holder,), gaps) for item in self._of(holder, layer, place))

    def _pairs(self, principal_id: str, layer: Layer, application_id: str | None = None) -> Iterator[Given]:
        """What entries give that name an application (any, or this one) beside the principal or a group of it."""
        if not layer.pairs:
            return
        chains, ways = self._directory.chains_up(principal_id), self._directory.ways_up(principal_id)
        for (holder, application), given in layer.pairs.items():
            if application_id not in (None, application):
                continue
            if holder == principal_id:
                yield from given
            elif holder in chains:
                yield from (self._through(item, principal_id, chains[holder], len(chains)) for item in given)
            else:
                if holder in ways:
                    yield from (self._after(item, principal_id, ways[holder], len(chains)) for item in given)
                gaps = self._directory.doubt(principal_id, holder)
                gaps = gaps or self._directory.eligibility_doubt(principal_id, holder)
                yield from (_doubtful(item, (holder,), gaps) for item in given if gaps)

    def _through(self, item: Given, principal_id: str, chain: tuple[str, ...], groups: int) -> Given:
        return _in_a_token(item.through(chain, chain_end(self._directory.edges, principal_id, chain)), groups)

    def _after(self, item: Given, principal_id: str, way: Way, groups: int) -> Given:
        """What somebody gets who comes into a group; the memberships that hold already may end before that."""
        given = item.after(way)
        ends = chain_end(self._directory.edges, principal_id, way.chain)
        return _in_a_token(given.through(way.chain, ends), groups + len(way.groups))

    def _of(self, holder: str, layer: Layer, place: Place) -> Iterator[Given]:
        for item in layer.settled.get(holder, ()):
            mask = item.citation.mask & place.universe
            if mask:
                yield item if mask == item.citation.mask else Given(replace(item.citation, mask=mask), item.gaps)
        for record in layer.open.get(holder, ()):
            for item in self._grants.given_by(record, place.vault, place.object, at_object=layer.at_object):
                mask = item.citation.mask & place.universe
                if mask:
                    yield Given(replace(item.citation, mask=mask), item.gaps)

    def _combine(self, principal_id: str | None, place: Place, given: tuple[Given, ...]) -> Verdict:
        citations = [item.citation for item in given]
        if place.blind:
            everything = place.universe
            gaps = [*place.blind, *place.hidden, *(gap for item in given for gap in item.gaps)]
            citations.extend(_gap_citation(gap, everything) for gap in gaps)
            return Verdict(0, 0, everything, _tidy(citations, everything), once(gaps))
        allowed = conditional = doubtful = shaken = 0
        veils: list[tuple[Gap, int]] = []
        steps = self._steps(principal_id, place, given)
        for option in _options(steps):
            mine = tuple(item for item in given if option.issuperset(item.citation.awaits))
            found = self._standing(principal_id, place, mine, option, citations)
            if option:  # what it does not hold without the option, it holds on that condition
                held = found.allowed | found.conditional
                citations.extend(_spared(mine, held & ~allowed & ~conditional, steps, option))
                conditional |= held
            else:
                allowed, conditional = found.allowed, found.conditional
            doubtful |= found.doubtful
            shaken |= found.shaken
            veils.extend(found.veils)
        conditional &= ~allowed
        unknown = (doubtful | shaken) & ~allowed & ~conditional
        if len(steps) > _STEPS:
            # Not every combination was tried: what a record gives and no tried combination holds is open.
            unknown |= _given_mask(given) & ~allowed & ~conditional
        doubtful &= unknown
        shaken &= unknown
        hiding = [
            *((gap, item.citation.mask & doubtful) for item in given for gap in item.gaps),
            *((gap, doubtful) for gap in place.hidden),
            *((gap, mask & shaken) for gap, mask in veils),
            *((gap, shaken) for gap in place.hidden_denies),
        ]
        citations.extend(_gap_citation(gap, mask) for gap, mask in hiding)
        told = once(gap for gap, mask in hiding if mask)
        return Verdict(allowed, conditional, unknown, _tidy(citations, place.universe), told)

    def _steps(
        self, principal_id: str | None, place: Place, given: tuple[Given, ...]
    ) -> Mapping[frozenset[str], tuple[Awaited, ...]]:
        """What the principal may come into that matters here, as sets of groups.

        Where no deny assignment reaches the place each item stands for itself: all of it is one step.
        """
        ways = self._directory.ways_up(principal_id) if principal_id else {}
        if not ways:
            return {}
        found = {
            frozenset(item.citation.awaits): ways[item.citation.groups[0]] for item in given if item.citation.awaits
        }
        denies = (*place.denies, *place.unplaced_denies)
        if not denies:
            together = tuple(edge for way in found.values() for edge in way.awaited)
            return {frozenset(edge.group for edge in together): together} if together else {}
        spared = (item.id.casefold() for deny in denies for item in deny.exclude_principals)
        found.update((ways[item].groups, ways[item]) for item in spared if item in ways)
        return {groups: way.awaited for groups, way in found.items()}

    def _standing(
        self,
        principal_id: str | None,
        place: Place,
        given: tuple[Given, ...],
        option: frozenset[str],
        citations: list[Citation],
    ) -> _Standing:
        """What grants and denies leave to a principal that has come into some groups."""
        masks = dict.fromkeys(Answer, 0)
        for item in given:
            masks[item.citation.answer] |= item.citation.mask
        allowed = masks[Answer.ALLOWED]
        conditional = masks[Answer.CONDITIONAL] & ~allowed
        unknown = (place.universe if place.hidden else masks[Answer.UNKNOWN]) & ~allowed & ~conditional
        circle = option.union(*(self._directory.chains_up(item) for item in option))
        held = allowed | conditional | unknown
        denied, possible, veils = self._denies(principal_id, place, held, circle, citations)
        if place.hidden_denies:
            possible |= allowed | conditional
        settled = ~possible & ~denied
        return _Standing(
            allowed & settled,
            conditional & settled,
            unknown & ~denied,
            (allowed | conditional) & possible & ~denied,
            veils,
        )

    def _denies(
        self, principal_id: str | None, place: Place, held: int, circle: frozenset[str], citations: list[Citation]
    ) -> tuple[int, int, tuple[tuple[Gap, int], ...]]:
        denied = possible = 0
        veils: list[tuple[Gap, int]] = []
        for deny, placed in (
            *((item, True) for item in place.denies),
            *((item, False) for item in place.unplaced_denies),
        ):
            scope = place.object.scope_in(place.vault) if place.object else place.vault.scope
            if not reaches(deny, scope):
                continue
            certain, maybe = taken(deny, place.vault, place.object)
            if not (certain | maybe) & held:
                continue
            met = meets(deny, principal_id, self._directory, circle)
            if met is Meets.NO:
                continue
            if met is Meets.MAYBE or not placed:
                certain, maybe = 0, certain | maybe
                veils.extend((gap, maybe) for gap in doubts(deny, principal_id, self._directory))
            denied |= certain
            possible |= maybe
            citations.extend(_deny_citations(deny, certain & held, maybe & held))
        return denied, possible, tuple(veils)


def _given_mask(given: Iterable[Given]) -> int:
    mask = 0
    for item in given:
        mask |= item.citation.mask
    return mask


def _options(steps: Iterable[frozenset[str]]) -> Iterator[frozenset[str]]:
    """What a principal may have come into: nothing first, then each step, then all of them."""
    several = tuple(steps)
    yield frozenset()
    yield from several
    if len(several) > 1:
        yield frozenset().union(*several)


def _spared(
    given: tuple[Given, ...],
    mask: int,
    steps: Mapping[frozenset[str], tuple[Awaited, ...]],
    option: frozenset[str],
) -> Iterator[Citation]:
    """Records that count as they are, for operations which a deny takes until the principal is in a group that it spares."""
    if not mask:
        return
    edges = tuple(dict.fromkeys(edge for groups, awaited in steps.items() if groups <= option for edge in awaited))
    for item in given:
        citation = item.citation
        if not citation.awaits and citation.mask & mask and citation.answer in (Answer.ALLOWED, Answer.CONDITIONAL):
            narrowed = Given(replace(citation, mask=citation.mask & mask))
            yield narrowed.after(Way(citation.groups, edges)).citation


def _in_a_token(item: Given, groups: int) -> Given:
    """An entry of the access policies that counts through a group: unknown for somebody in too many groups."""
    citation = item.citation
    settled = citation.answer in (Answer.ALLOWED, Answer.CONDITIONAL)
    if citation.kind is not CitationKind.ACCESS_POLICY or groups <= GROUPS_IN_A_TOKEN or not settled:
        return item
    text = (
        f"the principal is in {groups} groups: how Key Vault resolves more than {GROUPS_IN_A_TOKEN} is not established"
    )
    remark = f"{citation.remark}; {text}" if citation.remark else text
    condition = f"{citation.condition} and {text}" if citation.condition else text
    return Given(replace(citation, answer=Answer.UNKNOWN, condition=condition, remark=remark), item.gaps)


def _doubtful(item: Given, chain: tuple[str, ...], gaps: tuple[Gap, ...]) -> Given:
    return Given(replace(item.citation, answer=Answer.UNKNOWN, groups=chain), (*item.gaps, *gaps))


def _gap_citation(gap: Gap, mask: int) -> Citation:
    return Citation(CitationKind.GAP, gap.id, answer=Answer.UNKNOWN, mask=mask)


def _deny_citations(deny: DenyAssignment, certain: int, maybe: int) -> Iterator[Citation]:
    if certain:
        yield Citation(CitationKind.DENY_ASSIGNMENT, deny.id, deny.scope, answer=Answer.DENIED, mask=certain)
    if maybe:
        yield possible_citation(deny, maybe)


_RANK = {Answer.DENIED: 0, Answer.ALLOWED: 1, Answer.CONDITIONAL: 2, Answer.UNKNOWN: 3}


def _tidy(citations: list[Citation] | tuple[Citation, ...], universe: int) -> tuple[Citation, ...]:
    """One citation per record and answer, those that give most first; gaps last."""
    merged: dict[tuple[object, ...], Citation] = {}
    for item in citations:
        if not item.mask & universe:
            continue
        key = (item.kind, item.id, item.answer, item.groups, item.condition)
        known = merged.get(key)
        merged[key] = replace(known, mask=known.mask | item.mask) if known else item
    return tuple(
        sorted(
            merged.values(),
            key=lambda item: (
                item.kind is CitationKind.GAP,
                _RANK[item.answer],
                -item.mask.bit_count(),
                item.id.casefold(),
                item.groups,
                item.condition or "",
            ),
        )
    )
