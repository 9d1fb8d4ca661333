"""A condition in plain English, for answers and reports: "only for secrets whose name is 'db-password'".

The words say what the condition asks, in the order in which it was written; where a part has no words, its text
stands in their place. Texts come from the tenant: invisible characters are spelled out and everything is cut to size.
"""

from kvaudit.access.conditions.operators import Family, Operator, Relation, find_operator, read_value
from kvaudit.access.conditions.parser import ConditionError
from kvaudit.access.conditions.question import ASSIGNMENT_ATTRIBUTE, REQUESTED_SECRET_NAME, SECRET_NAME, VAULT_NAME
from kvaudit.access.conditions.tokens import shown
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
    write,
)
from kvaudit.model.roles import builtin_roles

MAX_WORDS = 1000
_MAX_TEXT = 300
_MAX_PART = 160
_MAX_VALUE = 80
_MAX_VALUES = 10

_VERBS = {
    Relation.EQUALS: ("is", "is not"),
    Relation.STARTS_WITH: ("starts with", "does not start with"),
    Relation.ENDS_WITH: ("ends with", "does not end with"),
    Relation.CONTAINS: ("contains", "does not contain"),
    Relation.LIKE: ("matches", "does not match"),
}


def describe(condition: Condition | ConditionError) -> str:
    """A condition in words, in one line of at most about 1,000 characters, without a full stop."""
    if isinstance(condition, ConditionError):
        return f"a condition that could not be read ({condition}): {shown(condition.text, _MAX_TEXT)}"
    words = "; ".join(_clause(node) for node in _joined_by(condition.root, conjunction=True))
    return words if len(words) <= MAX_WORDS else f"only where {shown(condition.text, _MAX_TEXT)}"


def phrase(node: Node, *, negated: bool = False) -> str:
    """A part of a condition, or its negation, as a phrase that can follow "only": "in vaults whose name is 'kv'"."""
    match node:
        case Not(operand):
            return phrase(operand, negated=not negated)
        case Chain(operands, conjunctions):
            parts = [_nested(operands[0], negated)]
            for conjunction, operand in zip(conjunctions, operands[1:], strict=True):
                parts += ["and" if conjunction != negated else "or", _nested(operand, negated)]
            return " ".join(parts) + (" (the condition does not say which goes first)" if node.is_mixed else "")
        case Comparison():
            return _comparison(node, negated) or _text(node, negated)
        case Exists(attribute):
            return f"where {shown(write(attribute), _MAX_PART)} {'does not exist' if negated else 'exists'}"
        case Call("ActionMatches", (Text(action),)):
            return f"for {'actions other than' if negated else 'the action'} {_action(action)}"
        case Call():
            return _text(node, negated)


def _text(node: Node, negated: bool) -> str:
    text = shown(write(node), _MAX_PART)
    return f"where not ({text})" if negated else f"where {text}"


def _nested(node: Node, negated: bool) -> str:
    inner = phrase(node, negated=negated)
    return f"({inner})" if isinstance(node, Chain) else inner


def _joined_by(node: Node, *, conjunction: bool) -> tuple[Node, ...]:
    """The operands of a chain of one kind, or the node alone."""
    if isinstance(node, Chain) and not node.is_mixed and node.conjunctions[0] is conjunction:
        return node.operands
    return (node,)


def _clause(node: Node) -> str:
    """`!(ActionMatches{a}) OR test` in words: "for a: only ..."; anything else: "only ..."."""
    alternatives = _joined_by(node, conjunction=False)
    guards = [_guarded(alternative) for alternative in alternatives]
    tests = [alternative for alternative, guard in zip(alternatives, guards, strict=True) if not guard]
    actions = [action for guard in guards for action in guard]
    if not actions or not tests:
        return f"only {phrase(node)}"
    test = " or ".join(_nested(test, False) if len(tests) > 1 else phrase(test) for test in tests)
    return f"for {_listed([_action(action) for action in actions], 'and')}: only {test}"


def _guarded(node: Node) -> tuple[str, ...]:
    """The actions that a guard lets through to the test: `!(ActionMatches{a}) AND !(ActionMatches{b})`."""
    actions: list[str] = []
    for part in _joined_by(node, conjunction=True):
        match part:
            case Not(Call("ActionMatches", (Text(action),))):
                actions.append(action)
            case _:
                return ()
    return tuple(actions)


def _action(action: str) -> str:
    for prefix in ("Microsoft.KeyVault/vaults/", "Microsoft.Authorization/"):
        action = action.removeprefix(prefix)
    return shown(action, _MAX_VALUE)


def _comparison(node: Comparison, negated: bool) -> str | None:
    """A comparison of a known attribute with literals, or None where there are no words for it."""
    operator = find_operator(node.operator)
    values = _literals(node.right)
    if operator is None or not isinstance(node.left, Attribute) or not values:
        return None
    refused = operator.negated != negated
    if len(values) > 1 and not _is_plain_list(operator, negated):
        return None
    source, name = node.left.key
    if (source, name) in (SECRET_NAME, REQUESTED_SECRET_NAME, VAULT_NAME):
        verb = _VERBS.get(operator.relation) if operator.family is Family.STRING else None
        place = "in vaults" if (source, name) == VAULT_NAME else "for secrets"
        return f"{place} whose name {verb[refused]} {_quoted(values, refused)}" if verb else None
    if operator.relation is Relation.EQUALS and name.startswith(ASSIGNMENT_ATTRIBUTE):
        return _assigned(name.removeprefix(ASSIGNMENT_ATTRIBUTE), operator.family, values, refused)
    return None


def _is_plain_list(operator: Operator, negated: bool) -> bool:
    """Whether several values mean "any of these", or refused "none of these", in the only reading there is."""
    if operator.negated:
        return operator.of_right is all and not negated
    return operator.of_right is any


def _literals(operand: Operand) -> tuple[Text | Bare, ...]:
    match operand:
        case ValueSet(items):
            return items
        case Text() | Bare():
            return (operand,)
        case Attribute():
            return ()


def _quoted(values: tuple[Text | Bare, ...], refused: bool) -> str:
    return _listed([f"'{shown(item.value, _MAX_VALUE)}'" for item in values], "and not" if refused else "or")


def _assigned(name: str, family: Family, values: tuple[Text | Bare, ...], refused: bool) -> str | None:
    match name, family:
        case "roledefinitionid", Family.GUID:
            kind, words = "role", [_role(item) for item in values]
        case "principalid", Family.GUID:
            kind, words = "principal", [shown(item.value, _MAX_VALUE) for item in values]
        case "principaltype", Family.STRING:
            words = [shown(item.value, _MAX_VALUE) for item in values]
            return f"for principals {'not ' if refused else ''}of type {_listed(words, 'or')}"
        case _:
            return None
    if refused:
        return f"for {kind}s other than {_listed(words, 'and')}"
    return f"for the {kind}{'s' if len(words) > 1 else ''} {_listed(words, 'or')}"


def _role(item: Text | Bare) -> str:
    guid = read_value(Family.GUID, item)
    if isinstance(guid, str):
        hyphened = "-".join((guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:]))
        if hyphened in builtin_roles():
            return builtin_roles()[hyphened].role_name
    return shown(item.value, _MAX_VALUE)


def _listed(words: list[str], last: str) -> str:
    if len(words) > _MAX_VALUES:
        words = [*words[: _MAX_VALUES - 1], f"{len(words) - _MAX_VALUES + 1} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
