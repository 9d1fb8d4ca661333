"""What a condition decides for one question.

Where Microsoft has published the rule the outcome is TRUE or FALSE; everything else is UNDETERMINED with its reason
(ARCHITECTURE.md "Access semantics" 8; facts azure.md 2.3 and 12). Negation is carried down to the leaves, because
several rules differ there: a comparison with an absent attribute fails, but what its negation gives is not published.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, reduce
from itertools import pairwise

from kvaudit.access.conditions.operators import (
    Family,
    Operator,
    Quantifier,
    Value,
    compare,
    find_operator,
    read_value,
    readable,
)
from kvaudit.access.conditions.outcome import Outcome, Verdict, all_of, any_of, inverse, settled, undetermined
from kvaudit.access.conditions.parser import ConditionError, parse
from kvaudit.access.conditions.patterns import action_pattern, fits
from kvaudit.access.conditions.question import (
    VAULT_NAME,
    WRITE_ASSIGNMENT,
    Absent,
    Assigned,
    Known,
    Open,
    Question,
    Unpublished,
    resolve,
)
from kvaudit.access.conditions.tree import (
    Attribute,
    Bare,
    Call,
    Chain,
    Comparison,
    Condition,
    Exists,
    Node,
    Not,
    Operand,
    Text,
    ValueSet,
    attributes_of,
)
from kvaudit.access.conditions.wording import phrase
from kvaudit.model.permissions import Operation
from kvaudit.model.vaults import ObjectRef

MAX_PAIRS = 10_000
"""Comparisons that one operator may ask for. Lists in a condition of 8 KB could ask for a million."""

AMBIGUOUS = "AND and OR stand side by side without parentheses, which Microsoft calls ambiguous"
LETTER_CASE = "it turns on letter case, and which spelling of a name reaches the condition is not published"
ABSENT_NEGATED = "what a negated comparison gives on an absent attribute is not published"
SEVERAL_VALUES = "what the operator means with several values is not published without contradiction"

Fold = Callable[[str], str]


def evaluate(condition: Condition | ConditionError, question: Question, *, denies: bool = False) -> Outcome:
    """What a condition decides.

    Args:
        condition: from `parse`. One that could not be read is UNDETERMINED.
        question: what is being done.
        denies: whether the condition stands in a deny assignment. A caller may choose the letter case of a name in
            the URL: that can open a grant and evade a deny, so the two are not each other's mirror.
    """
    if isinstance(condition, ConditionError):
        return undetermined(f"the condition could not be read: {condition}")
    outcome = _value(condition.root, denies, question)
    return inverse(outcome) if denies else outcome


def evaluate_operation(
    texts: Iterable[str], operation: Operation, vault: str | None, ref: ObjectRef | None, *, denies: bool = False
) -> Outcome:
    """Whether every condition holds for every data action of an operation.

    Args:
        texts: conditions of the assignment and of the role's permission block; all must hold.
        operation: what is being done.
        vault: the vault's name.
        ref: the object, or None for the vault as a whole. A certificate is reached as the secret of its name.
        denies: see `evaluate`.
    """
    secret = ref.name if ref is not None and ref.kind in ("secrets", "certificates") else None
    collection = operation.word == "secrets/list"
    questions = [Question(action, vault, secret, collection) for action in operation.data_actions]
    return all_of(evaluate(parse(text), question, denies=denies) for text in texts for question in questions)


def decided_by_name(text: str, vault: str) -> tuple[Verdict, ...]:
    """What the comparisons with the vault's name in a condition decide for a name.

    Nothing else of a name reaches the condition: to `evaluate_operation` without an object, two names of which this is the
    same are one.
    """
    is_plain = vault.isascii() and vault == vault.lower()
    question, found = Question(_ON_SECRETS, vault), []
    for node, negated, plainly in _comparisons_of_name(text):
        found.append(plainly(vault) if plainly and is_plain else _comparison(node, negated, question).verdict)
    return tuple(found)


_ON_SECRETS = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
"""One of the actions for which the vault's name is published as an attribute. For others no name is looked at."""


@lru_cache(maxsize=4096)
def _comparisons_of_name(text: str) -> tuple[tuple[Comparison, bool, Callable[[str], Verdict] | None], ...]:
    """The comparisons in which the vault's name stands, each with whether it is negated there, and its `_plainly`."""

    def walk(node: Node, negated: bool) -> Iterator[tuple[Comparison, bool, Callable[[str], Verdict] | None]]:
        match node:
            case Not(operand):
                yield from walk(operand, not negated)
            case Chain(operands):
                for operand in operands:
                    yield from walk(operand, negated)
            case Comparison():
                if any(item.key == VAULT_NAME for item in attributes_of(node)):
                    yield node, negated, _plainly(node, negated)

    condition = parse(text)
    return () if isinstance(condition, ConditionError) else tuple(walk(condition.root, negated=False))


def _plainly(node: Comparison, negated: bool) -> Callable[[str], Verdict] | None:
    """What `_comparison` decides for a name of small ASCII letters, digits and signs; None where more has to be looked at.

    Of a large tenant's vaults nearly every one has such a name, and nearly every condition compares it with a single text.
    """
    operator = find_operator(node.operator)
    if operator is None or operator.family is not Family.STRING or not isinstance(node.left, Attribute):
        return None
    # Where case counts, another spelling of the name may open what asks for it not to match (`_spellings`).
    if not operator.ignores_case and operator.negated != negated:
        return None
    right = None if isinstance(node.right, Attribute) else _literals(node.right, operator.family)
    if not isinstance(right, tuple) or len(right) > 1 or not _has_one_spelling(right):
        return None
    literal = right[0][0]
    if not readable(operator, literal):
        return None
    holds = (Verdict.FALSE, Verdict.TRUE) if operator.negated == negated else (Verdict.TRUE, Verdict.FALSE)
    return lambda name: holds[compare(operator.relation, name, literal)]


def admits_assignment(
    condition: Condition | ConditionError,
    role_guid: str | None,
    principal_id: str | None,
    principal_type: str | None,
    *,
    action: str = WRITE_ASSIGNMENT,
) -> Outcome:
    """Whether a delegated administrator may write (or delete) a role assignment; None leaves a part open."""
    return evaluate(condition, Question(action, assignment=Assigned(role_guid, principal_id, principal_type)))


def _value(node: Node, negated: bool, question: Question) -> Outcome:
    match node:
        case Not(operand):
            return _value(operand, not negated, question)
        case Chain(operands, conjunctions):
            outcomes = [_value(operand, negated, question) for operand in operands]
            return _joined(outcomes, [conjunction != negated for conjunction in conjunctions])
        case Comparison():
            return _comparison(node, negated, question)
        case Exists(attribute):
            return _exists(attribute, negated, question)
        case Call():
            return _call(node, negated, question)


def _joined(outcomes: list[Outcome], conjunctions: list[bool]) -> Outcome:
    """A chain of AND (True) and OR (False).

    In a mixed chain, AND first gives the most that any placing of parentheses gives, and OR first the least: a
    chain of true values between two ORs stays whole in the first and is what makes any other reading true, and the
    reverse. So the two readings stand for all of them.
    """
    most = any_of([all_of(run) for run in _runs(outcomes, conjunctions, joining=True)])
    least = all_of([any_of(run) for run in _runs(outcomes, conjunctions, joining=False)])
    if most.verdict is least.verdict:
        return most
    return undetermined(*most.reasons, *least.reasons, AMBIGUOUS)


def _runs(outcomes: list[Outcome], conjunctions: list[bool], *, joining: bool) -> list[list[Outcome]]:
    runs = [[outcomes[0]]]
    for conjunction, outcome in zip(conjunctions, outcomes[1:], strict=True):
        if conjunction is joining:
            runs[-1].append(outcome)
        else:
            runs.append([outcome])
    return runs


def _call(call: Call, negated: bool, question: Question) -> Outcome:
    match call.function.casefold(), call.arguments:
        case "actionmatches", (Text(pattern),):
            plain, loose = _action_matches(pattern, question.action)
            if plain != loose:
                return undetermined("whether /*/ in an action also matches a single / is not published")
            return settled(plain != negated)
        case "actionmatches", _:
            return undetermined("ActionMatches is published with one action in quotes only")
        case "suboperationmatches", _:
            return undetermined("suboperations are not published for Key Vault")
    return undetermined("it uses a function that is not published")


@lru_cache(maxsize=4096)
def _action_matches(pattern: str, action: str) -> tuple[bool, bool]:
    """Whether a pattern matches an action by the plain meaning of `*`, and where `/*/` may also stand for `/`."""
    folded = action.casefold()
    return (
        fits(action_pattern(pattern, optional_segments=False), folded),
        fits(action_pattern(pattern, optional_segments=True), folded),
    )


def _exists(attribute: Attribute, negated: bool, question: Question) -> Outcome:
    match resolve(attribute, question):
        case Known() | Open():
            return settled(not negated)
        case Absent():
            return settled(negated)
        case Unpublished(reason):
            return undetermined(reason)


def _comparison(node: Comparison, negated: bool, question: Question) -> Outcome:
    operator = find_operator(node.operator)
    if operator is None:
        return undetermined("it uses an operator that is not published")
    left, right = _side(node.left, operator, question), _side(node.right, operator, question)
    for side in (left, right):
        match side:
            case Unpublished(reason):
                return undetermined(reason)
            case Open():
                return undetermined("it holds " + phrase(node, negated=negated))
    if isinstance(left, tuple) and isinstance(right, tuple):
        return _compared(operator, left, right, negated)
    if isinstance(right, Absent):
        return undetermined("what a comparison with an absent attribute on its right side gives is not published")
    if operator.for_left is all:
        return undetermined("what a ForAll operator gives on an absent attribute is not published")
    return undetermined(ABSENT_NEGATED) if operator.negated or negated else settled(False)


_Item = tuple[Value, bool]
"""A value, and whether it is a name whose letter case is open."""


_Items = tuple[_Item, ...]

_Values = tuple[Value, ...]


def _side(operand: Operand, operator: Operator, question: Question) -> "_Items | Absent | Open | Unpublished":
    if isinstance(operand, Attribute):
        found = resolve(operand, question)
        if isinstance(found, Unpublished):
            return found
        if found.family is not operator.family:
            return Unpublished("the operator is not published for the kind of value that the attribute has")
        if not isinstance(found, Known):
            return found
        value = read_value(operator.family, Text(found.value))
        if value is None:
            return Unpublished("the record holds something else than the attribute's kind of value")
        return ((value, found.caseless),)
    return _literals(operand, operator.family)


@lru_cache(maxsize=4096)  # a condition is asked about every vault that it reaches
def _literals(operand: Text | Bare | ValueSet, family: Family) -> "_Items | Unpublished":
    items: tuple[Text | Bare, ...] = operand.items if isinstance(operand, ValueSet) else (operand,)
    values = [read_value(family, item) for item in items]
    if not values:
        return Unpublished("what an empty list gives is not published")
    readings = tuple((value, False) for value in values if value is not None)
    if len(readings) < len(values):
        return Unpublished("a value is written in another way than the operator's published examples")
    return readings


@lru_cache(maxsize=1024)  # one vault's name is compared for every operation
def _compared(operator: Operator, left: _Items, right: _Items, negated: bool) -> Outcome:
    if len(left) * len(right) > MAX_PAIRS:
        return undetermined(f"it compares more than {MAX_PAIRS} pairs of values")
    if not all(readable(operator, value) for value, _ in right):
        return undetermined("what a backslash means before other characters than * and ? is not published")
    caseless = any(is_caseless for _, is_caseless in (*left, *right))
    spellings = _spellings(operator, caseless, negated)
    only_folded = all(name is not str.upper for name, _ in spellings)
    if only_folded and _has_one_spelling(left) and _has_one_spelling(right):  # as most names and literals have
        spellings = [(_same, _same)]
    spelled = {(_spelled(left, name, literal), _spelled(right, name, literal)) for name, literal in spellings}
    by_shape = [
        {_holds(operator, shape, one, other) != negated for one, other in spelled}
        for shape in _shapes(operator, len(left), len(right))
    ]
    values = reduce(set.union, by_shape)
    if len(values) == 1:
        return settled(values.pop())
    by_case = any(len(shape) > 1 for shape in by_shape)
    by_meaning = any(first != second for first, second in pairwise(by_shape))
    return undetermined(*([LETTER_CASE] * by_case), *([SEVERAL_VALUES] * by_meaning))


def _holds(operator: Operator, shape: tuple[Quantifier, Quantifier], left: _Values, right: _Values) -> bool:
    outer, inner = shape
    return outer(inner(compare(operator.relation, one, other) != operator.negated for other in right) for one in left)


def _shapes(operator: Operator, lefts: int, rights: int) -> list[tuple[Quantifier, Quantifier]]:
    """The readings of how several values count.

    Read literally, ForAnyOfAnyValues:GuidNotEquals {a, b} is always true. Microsoft's example "Allow most roles, but
    don't allow others to assign roles" (delegate-role-assignments-examples, 2023-09) used it for "neither a nor b".
    """
    if operator.for_left is None or operator.of_right is None:
        return [(any, any), (all, all)] if lefts > 1 or rights > 1 else [(any, any)]
    literal = (operator.for_left, operator.of_right)
    if operator.negated and operator.of_right is any and rights > 1:
        return [literal, (operator.for_left, all)]
    return [literal]


def _same(text: str) -> str:
    return text


def _ascii_lower(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(character.lower() if character.isascii() else character for character in text)


def _spellings(operator: Operator, caseless: bool, negated: bool) -> list[tuple[Fold, Fold]]:
    """Pairs of what to do to names and to literals, one pair for each way in which letter case might count."""
    if operator.family is not Family.STRING:
        return [(_same, _same)]
    # Without case, letters beyond ASCII fold in more than one way; names of Azure hold none, a literal may.
    folded = [(_ascii_lower, _ascii_lower), (str.casefold, str.casefold)]
    if operator.ignores_case:
        return folded
    if not caseless:
        return [(_same, _same)]
    # A grant that asks for a name *not* to match may be opened by another spelling of that name in the URL.
    evasions = [(str.upper, _same), (str.lower, _same)] if operator.negated != negated else []
    return [(_same, _same), *folded, *evasions]


def _spelled(items: _Items, name: Fold, literal: Fold) -> _Values:
    return tuple(
        [(name if is_name else literal)(value) if isinstance(value, str) else value for value, is_name in items]
    )


def _has_one_spelling(items: _Items) -> bool:
    """Whether every text is small letters of ASCII, digits and signs: then no folding changes it."""
    return all(not isinstance(value, str) or (value.isascii() and value == value.lower()) for value, _ in items)
