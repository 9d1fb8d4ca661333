"""The evaluator against the worlds of `oracle`: sound for every principal, operation and place, and not needlessly vague."""

from drawn_estates import GROUPS, PEOPLE, SECRET, estates
from hypothesis import given, settings
from oracle import may, worlds

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef

WORDS = tuple(operation(word) for word in ("secrets/get", "secrets/list", "secrets/set", "secrets/purge"))
ALONE = tuple(who for who in PEOPLE if who not in (*GROUPS, "partner"))
"""Principals that sign in. A group stands for members who may differ, which no single world tells."""
PLACES: tuple[ObjectRef | None, ...] = (None, SECRET)


@settings(max_examples=150)
@given(estates())
def test_every_answer_holds_in_every_world(estate: Estate) -> None:
    access = Access(estate)
    for who in ALONE:
        # A registration never holds anything; that the evaluator calls it unknown where nothing was read is not wrong.
        vague = who == "form"
        every, met = (tuple(worlds(estate, who, waiting=waiting)) for waiting in (None, True))
        if len(every) > 256:
            continue
        for item in WORDS:
            for ref in PLACES:
                if ref and item.vault_only:
                    continue
                answer = access.can(who, item, estate.vaults[0], ref).answer
                can = [may(estate, world, who, item, ref) for world in every]
                about = (who, item.word, str(ref), answer.value)
                if answer is Answer.ALLOWED:
                    assert all(can), about
                elif answer is Answer.DENIED:
                    assert not any(can), about
                elif answer is Answer.CONDITIONAL:
                    assert any(can), about
                    assert not all(can), about
                    assert all(may(estate, world, who, item, ref) for world in met), about
                else:
                    # One doubt may stand behind a grant and a deny at once: then each is possible, both together nothing.
                    assert any(can) or vague or estate.deny_assignments, about
                if not any(can) and not vague and not estate.deny_assignments:
                    assert answer is Answer.DENIED, about
                if all(can) and not estate.deny_assignments:
                    assert answer is Answer.ALLOWED, about
