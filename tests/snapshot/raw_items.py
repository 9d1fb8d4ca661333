"""Role assignments as Azure sends them, or nearly so."""

from typing import Any

from hypothesis import strategies as st

RG = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-1"
PLACES = (RG, RG.upper(), f"{RG}-a", f"{RG}0", "/", " /", 5)
NAMES = (*(f"{letter * 8}-2222-2222-2222-{'2' * 12}" for letter in "23aA"), "plain")
ODD: tuple[Any, ...] = (None, "", " ", 0, False, [], {}, 7)


def _or(*usual: Any) -> st.SearchStrategy[Any]:
    return st.one_of(*[st.sampled_from(usual)] * 6, st.sampled_from(ODD))


@st.composite
def raw_assignments(draw: st.DrawFn) -> Any:
    """An item as Azure sends it, or nearly so."""
    place = draw(st.sampled_from(PLACES))
    properties = {
        "scope": place,
        "roleDefinitionId": draw(_or("/providers/x/roleDefinitions/AAA", "bbb")),
        "principalId": draw(_or("P1", "p1", "p2")),
        "principalType": draw(_or("User", "Group", None)),
        "condition": draw(_or(None, None, "@Resource[a:b] StringEquals 'c'")),
        "description": draw(_or(None, None, "why")),
        "createdOn": draw(_or("2026-01-01T00:00:00Z", "2021-09-08T11:12:13.1234567Z", "yesterday", None)),
        "delegatedManagedIdentityResourceId": draw(_or(None, None, None, "/subscriptions/2/x")),
    }
    for key in draw(st.lists(st.sampled_from(tuple(properties)), max_size=1)):
        del properties[key]
    name = draw(st.sampled_from(NAMES))
    identifier = draw(_or(f"{place}/providers/Microsoft.Authorization/roleAssignments/{name}", f"{place}/{name}/"))
    return draw(st.sampled_from(({"id": identifier, "properties": properties},) * 8 + (properties, 7, None, [])))
