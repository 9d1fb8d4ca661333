"""Laws of conditions over drawn trees.

The oracle knows two truth values, gives an open leaf both, and tries every placing of parentheses.
"""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.conditions import Question, Verdict, decided_by_name, evaluate, evaluate_operation, parse
from kvaudit.access.conditions.tree import Chain, Condition, Node, Not, write
from kvaudit.model.permissions import operations

YES, NO, OPEN = Verdict.TRUE, Verdict.FALSE, Verdict.UNDETERMINED

SECRETS = "Microsoft.KeyVault/vaults/secrets"
GET, SET, LIST = f"{SECRETS}/getSecret/action", f"{SECRETS}/setSecret/action", f"{SECRETS}/readMetadata/action"
NAME = f"@Resource[{SECRETS}:name]"
VAULT = "@Resource[Microsoft.KeyVault/vaults:name]"
T, F, U = "1 NumericEquals 1", "1 NumericEquals 2", "@Environment[UtcNow] BoolEquals true"
ON_SECRET = Question(GET, "kv-contoso", "db-password")


def verdict(text: str, question: Question = ON_SECRET, *, denies: bool = False) -> Verdict:
    condition = parse(text)
    assert isinstance(condition, Condition), condition
    return evaluate(condition, question, denies=denies).verdict


BOTH = frozenset({True, False})
LEAVES = {T: frozenset({True}), F: frozenset({False}), U: BOTH}


def chained(operands: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.lists(st.tuples(operands, st.booleans()), min_size=2, max_size=5)
    return pairs.map(lambda drawn: Chain(tuple(item for item, _ in drawn), tuple(flag for _, flag in drawn[1:])))


def leaf(text: str) -> Node:
    condition = parse(text)
    assert isinstance(condition, Condition)
    return condition.root


def trees(texts: list[str]) -> st.SearchStrategy[Node]:
    leaves = st.sampled_from([leaf(text) for text in texts])
    return st.recursive(leaves, lambda inner: st.builds(Not, inner) | chained(inner), max_leaves=7)


def possible(node: Node) -> frozenset[bool]:
    """Every value that a tree may have, over all readings of mixed chains and all values of open leaves."""
    if isinstance(node, Not):
        return frozenset(not value for value in possible(node.operand))
    if isinstance(node, Chain):
        worlds = product(*(possible(operand) for operand in node.operands))
        return frozenset(value for world in worlds for value in bracketings(world, node.conjunctions))
    return LEAVES[write(node)]


def bracketings(values: tuple[bool, ...], conjunctions: tuple[bool, ...]) -> frozenset[bool]:
    if len(values) == 1:
        return frozenset(values)
    found: set[bool] = set()
    for root, conjunction in enumerate(conjunctions):
        lefts = bracketings(values[: root + 1], conjunctions[:root])
        rights = bracketings(values[root + 1 :], conjunctions[root + 1 :])
        found |= {(left and right) if conjunction else (left or right) for left in lefts for right in rights}
    return frozenset(found)


@given(trees(list(LEAVES)))
def test_any_tree_agrees_with_every_placing_of_parentheses(tree: Node) -> None:
    values = possible(tree)
    expected = OPEN if values == BOTH else YES if True in values else NO
    assert verdict(write(tree)) is expected
    assert verdict(write(tree), denies=True) is expected


NAME_LEAVES = [
    T,
    F,
    U,
    f"{NAME} StringEquals 'db'",
    f"{NAME} StringNotEquals 'Db'",
    f"{NAME} StringStartsWith 'D'",
    f"{NAME} StringNotLikeIgnoreCase '*b'",
    f"{NAME} ForAnyOfAnyValues:StringNotEquals {{'db', 'x'}}",
    f"Exists {NAME}",
    f"{VAULT} StringEquals 'kv-contoso'",
    f"{VAULT} StringNotStartsWith 'kv'",
    f"{VAULT} StringEquals {NAME}",
    f"ActionMatches{{'{GET}'}}",
    f"ActionMatches{{'{SECRETS}/*'}}",
]
names = st.sampled_from(["db", "x", "1", "kv-contoso", "kv-other"])


def differ(one: Verdict, other: Verdict) -> bool:
    return {one, other} == {YES, NO}


@given(trees(NAME_LEAVES), names, names, st.sampled_from([GET, SET, LIST]), st.booleans())
def test_what_is_left_open_never_decides(tree: Node, secret: str, vault: str, action: str, denies: bool) -> None:
    text = write(tree)
    asked = verdict(text, Question(action, vault, secret), denies=denies)
    for question in (Question(action, vault), Question(action, None, secret), Question(action)):
        opened = verdict(text, question, denies=denies)
        assert opened in (asked, OPEN)


@given(trees(NAME_LEAVES), names, names, st.sampled_from([GET, LIST]))
def test_spelling_of_names_never_turns_yes_into_no(tree: Node, secret: str, vault: str, action: str) -> None:
    text = write(tree)
    spellings = [
        verdict(text, Question(action, spell_vault(vault), spell_secret(secret)))
        for spell_vault, spell_secret in product((str.lower, str.upper, str.title), repeat=2)
    ]
    assert not any(differ(one, other) for one in spellings for other in spellings)


@given(trees(NAME_LEAVES), names, names)
def test_a_grant_and_its_negation_never_both_hold(tree: Node, secret: str, vault: str) -> None:
    question = Question(GET, vault, secret)
    straight, negated = verdict(write(tree), question), verdict(write(Not(tree)), question)
    assert (straight, negated) not in {(YES, YES), (NO, NO)}
    assert not differ(straight, verdict(write(tree), question, denies=True))


OF_VAULTS = [
    *NAME_LEAVES,
    f"{VAULT} StringEqualsIgnoreCase 'KV-OTHER'",
    f"{VAULT} StringLike 'kv-*'",
    f"{NAME} StringEquals {VAULT}",
    f"{VAULT} StringEquals {VAULT}",
    f"{VAULT} ForAnyOfAnyValues:StringEquals {{'kv-other', 'x'}}",
    f"Exists {VAULT}",
]
vaults = st.sampled_from(["x", "kv-contoso", "KV-contoso", "kv-other", "KV-OTHER"])


@given(trees(OF_VAULTS), vaults, vaults)
def test_two_names_of_which_the_comparisons_decide_the_same_are_one_to_the_condition(
    tree: Node, one: str, other: str
) -> None:
    text = write(tree)
    if decided_by_name(text, one) == decided_by_name(text, other):
        for item in operations():
            asked = [evaluate_operation((text,), item, name, None).verdict for name in (one, other)]
            assert asked[0] is asked[1]


def test_names_that_a_comparison_tells_apart() -> None:
    assert decided_by_name(f"{VAULT} StringLike 'kv-*'", "kv-a") == (YES,)
    assert decided_by_name(f"!({VAULT} StringLikeIgnoreCase 'kv-*')", "kv-a") == (NO,)
    assert decided_by_name(f"{NAME} StringEquals 'a' AND {VAULT} StringEquals 'kv-b'", "kv-a") == (NO,)
    assert decided_by_name(NAME + " StringEquals 'a'", "kv-a") == decided_by_name("not a condition", "kv-a") == ()


_WORDS = [
    "Equals",
    "NotEquals",
    "Like",
    "NotLike",
    "StartsWith",
    "NotStartsWith",
    "EndsWith",
    "Contains",
    "NotContains",
]
operators = st.tuples(
    st.sampled_from(["", "", "ForAnyOfAnyValues:", "ForAllOfAnyValues:", "ForAnyOfAllValues:", "ForAllOfAllValues:"]),
    st.sampled_from(_WORDS),
    st.sampled_from(["", "IgnoreCase"]),
).map(lambda drawn: f"{drawn[0]}String{drawn[1]}{drawn[2]}")
literals = st.one_of(
    st.sampled_from(
        ["'kv-*'", "'kv-a'", "'KV-a'", "'*'", "''", "'kv-?'", "'kv-\\\\a'", "'kv-\\\\*'", "'kv-ä'", "1", "true"]
    ),
    st.sampled_from(["{'kv-a'}", "{'kv-a', 'x'}", "{}", VAULT, NAME]),
)
names = st.sampled_from(["kv-a", "KV-a", "kv-b", "x", "kv-*", "kv-ä", ""])


@given(operators, literals, names, st.booleans(), st.booleans())
def test_what_a_name_decides_is_what_the_condition_decides(
    operator: str, literal: str, name: str, is_negated: bool, is_left: bool
) -> None:
    text = f"{VAULT} {operator} {literal}" if is_left else f"{literal} {operator} {VAULT}"
    text = f"!({text})" if is_negated else text
    condition = parse(text)
    if isinstance(condition, Condition):
        assert decided_by_name(text, name) == (evaluate(condition, Question(GET, name)).verdict,)
