"""All answers about one vault at once are those of the questions one by one."""

from drawn_estates import PEOPLE, estates
from hypothesis import given, settings

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operations


@settings(max_examples=30)
@given(estates())
def test_all_answers_at_once_are_those_of_can(estate: Estate) -> None:
    access, vault = Access(estate), estate.vaults[0]
    for who in PEOPLE:
        found = access.answers(who.upper(), vault)
        assert found == {item: access.can(who, item, vault).answer for item in operations()}
