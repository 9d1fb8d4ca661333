"""A query of Azure Resource Graph: a table and a pipe of operators.

Known: `where`, `project`, `project-away`, `project-keep`, `project-rename`, `extend`, `order by`, `sort by`, `limit`, `take`,
`top`, `distinct`, `count` and `summarize count() by`. Resource Graph knows more (joins, unions, mv-expand); the lab answers those with the parse error of
the real service rather than with something that looks like an answer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kvaudit.lab.kql_expressions import Expression, KqlError, Row, Tokens, expression, truth

TABLES = frozenset({"resources", "resourcecontainers", "authorizationresources", "managedserviceresources"})
"""Tables that the lab has rows for."""

Operator = Callable[[list[Row]], list[Row]]


@dataclass(slots=True)
class Query:
    """A parsed query.

    Attributes:
        table: in lower case.
        operators: applied in order.
        limited: a `limit`, `take` or `top` stands in it: the service then gives no `$skipToken`.
    """

    table: str
    operators: list[Operator] = field(default_factory=list)
    limited: bool = False

    def run(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that the query yields."""
        found = list(rows)
        for operator in self.operators:
            found = operator(found)
        return found


def parse(text: str) -> Query:
    """Parse a query. Without a table in front it asks `resources`, as the service does.

    Raises:
        KqlError: for anything that is not known here.
    """
    try:
        return _parsed(Tokens(text))
    except RecursionError as error:
        raise KqlError(text, 0, "(") from error  # thousands of brackets


def _parsed(tokens: Tokens) -> Query:
    query = Query("resources")
    kind, word = tokens.peek()
    if kind == "word" and word.casefold() in TABLES:
        query.table = tokens.name().casefold()
    elif kind != "word" or word.casefold() not in _OPERATORS:
        raise tokens.error()
    else:
        query.operators.append(_operator(tokens, query))
    while tokens.accept("|"):
        query.operators.append(_operator(tokens, query))
    if tokens.peek()[0] != "end":
        raise tokens.error()
    return query


def _operator(tokens: Tokens, query: Query) -> Operator:
    name = tokens.peek()[1].casefold()
    parser = _OPERATORS.get(name)
    if parser is None:
        raise tokens.error()
    tokens.take()
    query.limited = query.limited or name in {"limit", "take", "top"}
    return parser(tokens)


def _where(tokens: Tokens) -> Operator:
    condition = expression(tokens)
    return lambda rows: [row for row in rows if truth(condition(row))]


def _columns(tokens: Tokens) -> list[tuple[str, Expression]]:
    """`name`, `name = expression` or `properties.path`, which makes the column `properties_path`."""
    columns = [_column(tokens)]
    while tokens.accept(","):
        columns.append(_column(tokens))
    return columns


def _column(tokens: Tokens) -> tuple[str, Expression]:
    kind, name = tokens.peek()
    if kind == "word" and tokens.peek(1) == ("symbol", "="):
        tokens.take()
        tokens.take()
        return name, expression(tokens)
    ahead, parts = 1, [name]
    while tokens.peek(ahead) == ("symbol", ".") and tokens.peek(ahead + 1)[0] == "word":
        parts.append(tokens.peek(ahead + 1)[1])
        ahead += 2
    return "_".join(parts), expression(tokens)


def _project(tokens: Tokens) -> Operator:
    columns = _columns(tokens)
    return lambda rows: [{name: value(row) for name, value in columns} for row in rows]


def _project_away(tokens: Tokens) -> Operator:
    names = _names(tokens)
    return lambda rows: [{name: value for name, value in row.items() if name not in names} for row in rows]


def _project_keep(tokens: Tokens) -> Operator:
    names = _names(tokens)
    return lambda rows: [{name: value for name, value in row.items() if name in names} for row in rows]


def _project_rename(tokens: Tokens) -> Operator:
    renamed: dict[str, str] = {}
    while True:
        name = tokens.name()
        tokens.expect("=")
        renamed[tokens.name()] = name
        if not tokens.accept(","):
            break
    return lambda rows: [{renamed.get(name, name): value for name, value in row.items()} for row in rows]


def _names(tokens: Tokens) -> list[str]:
    names = [tokens.name()]
    while tokens.accept(","):
        names.append(tokens.name())
    return names


def _extend(tokens: Tokens) -> Operator:
    columns = _columns(tokens)
    return lambda rows: [{**row, **{name: value(row) for name, value in columns}} for row in rows]


def _top(tokens: Tokens) -> Operator:
    cut, sort = _limit(tokens), _order(tokens)
    return lambda rows: cut(sort(rows))


def _order(tokens: Tokens) -> Operator:
    tokens.expect("by")
    keys: list[tuple[Expression, bool]] = []
    while True:
        key = expression(tokens)
        direction = tokens.accept("asc", "desc")
        keys.append((key, direction != "asc"))  # Kusto sorts descending unless told otherwise
        if not tokens.accept(","):
            break

    def sort(rows: list[Row]) -> list[Row]:
        found = list(rows)
        for key, descending in reversed(keys):
            found.sort(key=lambda row: _sortable(key(row)), reverse=descending)
        return found

    return sort


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (0, 0.0, "") if value is None else (2, 0.0, str(value).casefold())


def _limit(tokens: Tokens) -> Operator:
    kind, text = tokens.peek()
    if kind != "number" or not text.isdigit():
        raise tokens.error()
    tokens.take()
    count = int(text)
    return lambda rows: rows[:count]


def _distinct(tokens: Tokens) -> Operator:
    columns = _columns(tokens)

    def unique(rows: list[Row]) -> list[Row]:
        found: dict[str, Row] = {}
        for row in rows:
            shown = {name: value(row) for name, value in columns}
            found.setdefault(repr(shown), shown)
        return list(found.values())

    return unique


def _count(tokens: Tokens) -> Operator:  # noqa: ARG001 - `count` takes no arguments
    return lambda rows: [{"Count": len(rows)}]


def _summarize(tokens: Tokens) -> Operator:
    """`summarize [name =] count() [by columns]`."""
    name = "count_"
    if tokens.peek(1) == ("symbol", "="):
        name = tokens.name()
        tokens.expect("=")
    for word in ("count", "(", ")"):
        tokens.expect(word)
    columns = _columns(tokens) if tokens.accept("by") else []
    return lambda rows: _grouped(rows, name, columns)


def _grouped(rows: Sequence[Row], name: str, columns: list[tuple[str, Expression]]) -> list[Row]:
    groups: dict[str, dict[str, Any]] = {} if columns else {"[]": {name: 0}}
    for row in rows:
        key = {column: value(row) for column, value in columns}
        group = groups.setdefault(repr(list(key.values())), key | {name: 0})
        group[name] += 1
    return list(groups.values())


_OPERATORS: dict[str, Callable[[Tokens], Operator]] = {
    "where": _where,
    "project": _project,
    "project-away": _project_away,
    "project-keep": _project_keep,
    "project-rename": _project_rename,
    "extend": _extend,
    "order": _order,
    "sort": _order,
    "limit": _limit,
    "take": _limit,
    "top": _top,
    "distinct": _distinct,
    "count": _count,
    "summarize": _summarize,
}

__all__ = ["TABLES", "KqlError", "Query", "parse"]
