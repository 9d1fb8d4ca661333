"""`who-can` with every member finds whom the table of everybody finds: what it leaves out holds nothing of what was asked."""

from drawn_estates import SECRET, estates, joinable
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operation

WORDS = tuple(operation(word) for word in ("secrets/get", "secrets/set", "secrets/purge"))


@given(st.one_of(estates(), estates(gaps=False), joinable()))
def test_nobody_is_left_out_and_nobody_is_added(estate: Estate) -> None:
    access, place = Access(estate), estate.vaults[0]
    for item in WORDS:
        for ref in (None, SECRET):
            table = {
                (holding.principal_id, holding.application_id): holding.answer(item.mask)
                for holding in access.holdings(place, ref, expand_groups=True)
                if holding.answer(item.mask) is not Answer.DENIED
            }
            asked = access.who_can(item, place, ref, expand_groups=True)
            found = {
                (holding.principal_id, holding.application_id): holding.answer(item.mask) for holding in asked.holdings
            }
            assert found == table, (item.word, str(ref))
