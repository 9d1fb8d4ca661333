"""From the records that reach a place to what one principal holds there.

The order (ARCHITECTURE.md, decision 3), per operation: a certain unconditional grant → allowed; else a conditional one →
conditional; else a gap that could hold a grant → unknown; else denied. Then denies: a certain one → denied; a possible
one, or a deny listing that was not read, turns allowed and conditional into unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.denies import Meets, meets, reaches, taken
from kvaudit.access.directory import Directory, once
from kvaudit.access.grants import Given, Grants
from kvaudit.access.places import Layer, Place
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment
from kvaudit.model.gaps import Gap

GROUPS_IN_A_TOKEN = 200
"""Groups that a token names before it names none; how Key Vault resolves more for access policies is not established
(facts azure.md 1.5)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one principal holds at one place.

    Attributes:
        allowed, conditional, unknown: no operation stands in two of them.
        denied: operations that a deny assignment takes for certain.
        citations: every record and gap that has a say, with the operations that it touches.
        gaps: the gaps among them.
    """

    allowed: int
    conditional: int
    unknown: int
    denied: int = 0
    citations: tuple[Citation, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def held(self) -> int:
        """Operations that are not denied."""
        return self.allowed | self.conditional | self.unknown


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
        chains = self._directory.chains_up(principal_id)
        for layer in place.layers:
            yield from self._of(principal_id, layer, place)
            if pairs:
                yield from self._pairs(principal_id, layer)
            groups = layer.groups(self._directory)
            if not groups:
                continue
            for holder in sorted(groups & chains.keys()):
                for item in self._of(holder, layer, place):
                    yield _through(item, chains[holder], len(chains))
            doubted = self._directory.in_doubt(principal_id, groups, layer.shady(self._directory))
            for holder in sorted(doubted - chains.keys()):
                gaps = self._directory.doubt(principal_id, holder)
                for item in self._of(holder, layer, place):
                    yield _doubtful(item, (holder,), gaps)

    def _pairs(self, principal_id: str, layer: Layer, application_id: str | None = None) -> Iterator[Given]:
        """What entries give that name an application (any, or this one) beside the principal or a group of it."""
        if not layer.pairs:
            return
        chains = self._directory.chains_up(principal_id)
        for (holder, application), given in layer.pairs.items():
            if application_id not in (None, application):
                continue
            if holder == principal_id:
                yield from given
            elif holder in chains:
                yield from (_through(item, chains[holder], len(chains)) for item in given)
            elif gaps := self._directory.doubt(principal_id, holder):
                yield from (_doubtful(item, (holder,), gaps) for item in given)

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
        masks = dict.fromkeys(Answer, 0)
        for item in given:
            masks[item.citation.answer] |= item.citation.mask
        allowed = masks[Answer.ALLOWED]
        conditional = masks[Answer.CONDITIONAL] & ~allowed
        unknown = masks[Answer.UNKNOWN] & ~allowed & ~conditional
        if place.hidden:
            unknown = place.universe & ~allowed & ~conditional
        citations = [item.citation for item in given]
        gaps = [gap for item in given if item.citation.mask & unknown for gap in item.gaps]
        citations.extend(_gap_citation(gap, item.citation.mask & unknown) for item in given for gap in item.gaps)
        citations.extend(_gap_citation(gap, unknown) for gap in place.hidden)
        gaps.extend(place.hidden)
        if place.blind:
            everything = place.universe
            blind = tuple(_gap_citation(gap, everything) for gap in place.blind)
            return Verdict(0, 0, everything, 0, _tidy((*citations, *blind), everything), once((*place.blind, *gaps)))
        denied, possible = self._denies(principal_id, place, allowed | conditional | unknown, citations)
        if place.hidden_denies:
            possible |= allowed | conditional
            citations.extend(_gap_citation(gap, allowed | conditional) for gap in place.hidden_denies)
            gaps.extend(place.hidden_denies if allowed | conditional else ())
        shaken = (allowed | conditional) & possible & ~denied
        verdict = (allowed & ~possible & ~denied, conditional & ~possible & ~denied, (unknown & ~denied) | shaken)
        # A denied operation is settled: what else could not be read does not matter to it.
        return Verdict(*verdict, denied, _tidy(citations, place.universe), once(gaps) if verdict[2] else ())

    def _denies(self, principal_id: str | None, place: Place, held: int, citations: list[Citation]) -> tuple[int, int]:
        denied = possible = 0
        for deny, placed in (
            *((item, True) for item in place.denies),
            *((item, False) for item in place.unplaced_denies),
        ):
            scope = place.object.scope_in(place.vault) if place.object else place.vault.scope
            if placed and not reaches(deny, scope):
                continue
            certain, maybe = taken(deny, place.vault, place.object)
            if not (certain | maybe) & held:
                continue
            met = meets(deny, principal_id, self._directory)
            if met is Meets.NO:
                continue
            if met is Meets.MAYBE or not placed:
                certain, maybe = 0, certain | maybe
            denied |= certain
            possible |= maybe
            citations.extend(_deny_citations(deny, certain & held, maybe & held))
        return denied, possible


def _through(item: Given, chain: tuple[str, ...], groups: int) -> Given:
    citation = replace(item.citation, groups=chain)
    if citation.kind is CitationKind.ACCESS_POLICY and groups > GROUPS_IN_A_TOKEN and citation.answer is Answer.ALLOWED:
        text = f"the principal is in {groups} groups: how Key Vault resolves more than {GROUPS_IN_A_TOKEN} is not established"
        citation = replace(citation, answer=Answer.UNKNOWN, condition=text)
    return Given(citation, item.gaps)


def _doubtful(item: Given, chain: tuple[str, ...], gaps: tuple[Gap, ...]) -> Given:
    return Given(replace(item.citation, answer=Answer.UNKNOWN, groups=chain), (*item.gaps, *gaps))


def _gap_citation(gap: Gap, mask: int) -> Citation:
    return Citation(CitationKind.GAP, gap.id, answer=Answer.UNKNOWN, mask=mask)


def _deny_citations(deny: DenyAssignment, certain: int, maybe: int) -> Iterator[Citation]:
    if certain:
        yield Citation(CitationKind.DENY_ASSIGNMENT, deny.id, deny.scope, answer=Answer.DENIED, mask=certain)
    if maybe:
        text = deny.condition or next((block.condition for block in deny.permissions if block.condition), None)
        yield Citation(
            CitationKind.DENY_ASSIGNMENT, deny.id, deny.scope, condition=text, answer=Answer.UNKNOWN, mask=maybe
        )


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
