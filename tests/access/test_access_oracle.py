"""The evaluator against the worlds of `oracle`: sound for every principal, operation and place, and not needlessly vague."""

from drawn_estates import GROUPS, PEOPLE, SECRET, estates, joinable
from hypothesis import given, settings
from oracle import may, worlds

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import Operation, operation
from kvaudit.model.vaults import ObjectRef

WORDS = tuple(operation(word) for word in ("secrets/get", "secrets/list", "secrets/set", "secrets/purge"))
ALONE = tuple(who for who in PEOPLE if who not in (*GROUPS, "partner"))
"""Principals that sign in. A group stands for members who may differ, which no single world tells."""
EXAMPLES = settings().max_examples * 3 // 2
PLACES: tuple[ObjectRef | None, ...] = (None, SECRET)


@settings(max_examples=EXAMPLES)
@given(estates())
def test_every_answer_holds_in_every_world(estate: Estate) -> None:
    _judge_by_worlds(estate, WORDS)


@settings(max_examples=EXAMPLES)
@given(joinable())
def test_every_answer_about_memberships_to_come_holds_in_every_world(estate: Estate) -> None:
    _judge_by_worlds(estate, WORDS[:1])


def _judge_by_worlds(estate: Estate, words: tuple[Operation, ...]) -> None:
    access = Access(estate)
    for who in ALONE:
        # A registration never holds anything; that the evaluator calls it unknown where nothing was read is not wrong.
        vague = who == "form"
        every = worlds(estate, who, most=256)
        if not every:
            continue
        for item in words:
            for ref in PLACES:
                if ref and item.vault_only:
                    continue
                answer = access.can(who, item, estate.vaults[0], ref).answer
                about = (who, item.word, str(ref), answer.value)
                can = {world: may(estate, world, who, item, ref) for world in every}
                unforced = all(has for world, has in can.items() if not world.joined)
                by_acting: dict[frozenset[str], bool] = {}
                for world, has in can.items():
                    settled = world.settled_by_acting
                    by_acting[settled] = by_acting.get(settled, True) and has
                some, reachable = any(can.values()), any(by_acting.values())
                if answer is Answer.ALLOWED:
                    assert unforced, about
                elif answer is Answer.DENIED:
                    assert not some, about
                elif answer is Answer.CONDITIONAL:
                    assert reachable, about
                    assert not unforced, about
                else:
                    # One doubt may stand behind a grant and a deny at once: then each is possible, both together nothing.
                    assert some or vague or estate.deny_assignments, about
                if estate.deny_assignments:
                    continue
                if not some and not vague:
                    assert answer is Answer.DENIED, about
                if unforced:
                    assert answer is Answer.ALLOWED, about
                elif reachable:
                    assert answer is Answer.CONDITIONAL, about
