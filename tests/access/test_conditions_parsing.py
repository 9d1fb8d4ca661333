"""Reading conditions: positions of mistakes, bounds, and that writing a tree and reading it again changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.conditions import Condition, ConditionError, Question, describe, evaluate, parse
from kvaudit.access.conditions.tree import (
    Attribute,
    Bare,
    Call,
    Chain,
    Comparison,
    Exists,
    Node,
    Not,
    Text,
    ValueSet,
    write,
)
from kvaudit.model.roles import builtin_roles

GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
KEYWORDS = {"and", "or", "not", "exists"}

words = st.from_regex(r"[A-Za-z0-9_.:+-]{1,12}", fullmatch=True).filter(lambda word: word.casefold() not in KEYWORDS)
texts = st.builds(Text, st.text(max_size=12).filter(lambda text: "'" not in text and not text.endswith("\\")))
values = texts | st.builds(Bare, words)
attributes = st.builds(
    Attribute,
    st.sampled_from(["Resource", "Request", "Principal", "Environment", "Other"]),
    st.text(min_size=1, max_size=12).map(str.strip).filter(lambda name: name and not set(name) & set("[]'\"")),
)
sets = st.builds(ValueSet, st.lists(values, max_size=3).map(tuple))
leaves: st.SearchStrategy[Node] = (
    st.builds(Comparison, attributes | values | sets, words, attributes | values | sets)
    | st.builds(Call, words, st.lists(values, max_size=2).map(tuple))
    | st.builds(Exists, attributes)
)


def chains(operands: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.lists(st.tuples(operands, st.booleans()), min_size=2, max_size=4)
    return pairs.map(lambda drawn: Chain(tuple(item for item, _ in drawn), tuple(flag for _, flag in drawn[1:])))


trees = st.recursive(leaves, lambda inner: st.builds(Not, inner) | chains(inner), max_leaves=8)


@given(trees)
def test_a_tree_is_read_back_as_it_was_written(tree: Node) -> None:
    read = parse(write(tree))
    assert isinstance(read, Condition)
    assert read.root == tree


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(["(", ")", "{", "}", ",", "'", "!", "NOT ", " AND ", "||", "@Resource[a]", " x ", "\\", "\n"]),
        max_size=40,
    ).map("".join)
)
def test_any_text_is_read_or_refused_at_a_place_inside_it(text: str) -> None:
    read = parse(text)
    evaluate(read, Question(GET, "kv-contoso", "db-password"))
    assert describe(read).isprintable()
    if isinstance(read, ConditionError):
        assert 0 <= read.offset <= len(text)
        assert read.line == text[: read.offset].count("\n") + 1
        assert text.split("\n")[read.line - 1][: read.column - 1] == text[: read.offset].rsplit("\n", maxsplit=1)[-1]


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", (0, 1, 1), "expected a comparison, a function or '(', found the end"),
        ("  \n ", (4, 2, 2), "expected a comparison, a function or '(', found the end"),
        ("(1 NumericEquals 1", (18, 1, 19), "expected AND, OR or ')', found the end"),
        ("1 NumericEquals 1)", (17, 1, 18), "expected AND, OR or the end, found ')'"),
        ("1 NumericEquals 1\nAND\n  'abc", (24, 3, 3), "the string has no closing quote"),
        ("@Resource[a StringEquals 'x'", (0, 1, 1), "an attribute is written @Source[name]"),
        ("@Resource[ ] StringEquals 'x'", (0, 1, 1), "the attribute has no name"),
        ("@Resource[a]", (12, 1, 13), "expected an operator, found the end"),
        ("@Resource[a] AND 'x'", (13, 1, 14), "expected an operator, found 'AND'"),
        ("@Resource[a] StringEquals AND", (26, 1, 27), "expected a value or an attribute, found 'AND'"),
        ("{'a' 'b'} x 1", (5, 1, 6), "expected ',' or '}', found the string 'b'"),
        ("{@Resource[a]} x 1", (1, 1, 2), "expected a value, found the attribute @Resource[a]"),
        ("Exists 'a'", (7, 1, 8), "expected an attribute after Exists, found the string 'a'"),
        ("1 NumericEquals 1 AND", (21, 1, 22), "expected a comparison, a function or '(', found the end"),
        ("1 < 2", (2, 1, 3), "the character '<' does not belong here"),
        ("1 NumericEquals\x00 1", (15, 1, 16), "the character '\\u0000' does not belong here"),
        ("1 & 2", (2, 1, 3), "the character '&' does not belong here"),
        (r"'it\'s' x 'y'", (4, 1, 5), "how a quote inside a string is written is not published"),
        ("'it''s' x 'y'", (3, 1, 4), "how a quote inside a string is written is not published"),
    ],
)
def test_a_mistake_has_a_place(text: str, position: tuple[int, int, int], message: str) -> None:
    read = parse(text)
    assert isinstance(read, ConditionError)
    assert ((read.offset, read.line, read.column), read.message) == (position, message)
    assert str(read) == f"line {position[1]}, column {position[2]}: {message}"


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("(" * 63 + "1 NumericEquals 1" + ")" * 63, True),
        ("(" * 64 + "1 NumericEquals 1" + ")" * 64, False),
        ("!" * 63 + "(1 NumericEquals 1)", False),
        ("1 NumericEquals 1".ljust(8192), True),
        ("1 NumericEquals 1".ljust(8193), False),
        ("(1 x 1 AND " * 63 + "1 x 1" + ")" * 63, True),
        ("(1 x 1 AND " * 64 + "1 x 1" + ")" * 64, False),
        ("NOT (1 x 1) AND " * 200 + "1 x 1", True),
        ("(" * 8192, False),
        ("!" * 8192, False),
    ],
)
def test_depth_and_size_are_bounded(text: str, readable: bool) -> None:
    assert isinstance(parse(text), Condition) is readable


@pytest.mark.parametrize(
    "text",
    [
        "!(ActionMatches{'a'}) OR @Resource[b] StringEquals 'c'",
        "(!(ActionMatches{'a'}) || (@Resource[b] StringEquals 'c'))",
        "not ActionMatches {'a'}\r\n\tor ((@Resource [ b ] StringEquals'c'))",
        "NoT(ActionMatches{ 'a' })oR@Resource[b]StringEquals 'c'",
    ],
)
def test_spelling_of_keywords_spaces_and_spare_parentheses_do_not_count(text: str) -> None:
    read = parse(text)
    assert isinstance(read, Condition)
    guard = Not(Call("ActionMatches", (Text("a"),)))
    assert read.root == Chain((guard, Comparison(Attribute("Resource", "b"), "StringEquals", Text("c"))), (False,))


def test_a_keyword_in_quotes_is_a_string() -> None:
    for word in ("and", "or", "not", "exists", "&&", "!"):
        read = parse(f"'{word}' x '{word}'")
        assert isinstance(read, Condition)
        assert read.root == Comparison(Text(word), "x", Text(word))
        assert isinstance(parse(f"1 x 1 '{word}' 1 x 1"), ConditionError)


def test_parentheses_are_kept_apart_from_a_chain() -> None:
    flat, grouped = parse("1 x 1 AND 2 x 2 OR 3 x 3"), parse("(1 x 1 AND 2 x 2) OR 3 x 3")
    assert isinstance(flat, Condition)
    assert isinstance(grouped, Condition)
    assert isinstance(flat.root, Chain)
    assert isinstance(grouped.root, Chain)
    assert (flat.root.is_mixed, grouped.root.is_mixed) == (True, False)


def test_every_condition_of_a_builtin_role_is_read() -> None:
    # facts azure.md 2.3: 29 built-in roles carry a condition, some in more than one permission block.
    texts = [
        (role.role_name, block.condition)
        for role in builtin_roles().values()
        for block in role.permissions
        if block.condition
    ]
    assert len({role for role, _ in texts}) == 29
    for role, text in texts:
        assert isinstance(parse(text), Condition), role
