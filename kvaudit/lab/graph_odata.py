"""The OData parts of Microsoft Graph that directory clients use: `$filter`, `$select` and pages.

A filter is compiled into a predicate over the raw object. What this grammar does not know is refused with the error
that Graph itself gives for an unsupported clause, never ignored: a filter that is silently dropped answers too much.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Raw = Mapping[str, Any]
Predicate = Callable[[Raw], bool]

DEFAULT_PAGE = 100
"""Objects a page without `$top` (learn.microsoft.com/graph/paging: 100 for directory objects)."""

UNKNOWN_PAGE = "The specified page token value is invalid or expired."

LARGEST_PAGE = 999
"""Largest `$top` of directory objects (learn.microsoft.com/graph/api/user-list)."""


class UnsupportedQueryError(Exception):
    """The query is not one that the lab's Graph answers; the text is the message of the 400."""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<punctuation>[(),:])
    | (?P<word>[^\s(),:']+)
    )""",
    re.VERBOSE,
)


def compile_filter(text: str) -> Predicate:
    """Compile a `$filter` into a predicate.

    Known: `eq`, `ne`, `in`, `startswith(p,'x')`, `endswith(p,'x')`, `p/any(x:x eq 'v')`, `and`, `or`, `not`, brackets.
    `and` binds tighter than `or` (OData 4.01, part 2, 5.1.1.15). Strings compare without regard to case, as Graph
    compares directory properties.

    Raises:
        UnsupportedQueryError: for anything else.
    """
    parser = _Parser(_tokens(text))
    try:
        predicate = parser.alternatives()
    except RecursionError as error:
        raise UnsupportedQueryError("Invalid filter clause: too many brackets.") from error
    parser.expect_end()
    return predicate


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None or match.lastgroup is None:
            raise UnsupportedQueryError(f"Invalid filter clause: Syntax error at position {position} in '{text}'.")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        kind, value = self._take()
        if value != text:
            raise UnsupportedQueryError(f"Invalid filter clause: '{text}' expected, found '{value or kind}'.")

    def expect_end(self) -> None:
        kind, value = self._peek()
        if kind != "end":
            raise UnsupportedQueryError(f"Invalid filter clause: unexpected '{value}'.")

    def alternatives(self) -> Predicate:
        parts = [self._conjunction()]
        while self._peek() == ("word", "or"):
            self._take()
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda raw: any(part(raw) for part in parts)

    def _conjunction(self) -> Predicate:
        parts = [self._term()]
        while self._peek() == ("word", "and"):
            self._take()
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else lambda raw: all(part(raw) for part in parts)

    def _term(self) -> Predicate:
        kind, value = self._take()
        if (kind, value) == ("punctuation", "("):
            inside = self.alternatives()
            self._expect(")")
            return inside
        if kind != "word":
            raise UnsupportedQueryError(f"Invalid filter clause: unexpected '{value or kind}'.")
        if value == "not":
            negated = self._term()
            return lambda raw: not negated(raw)
        if value in {"startswith", "endswith"}:
            return self._affix(value)
        if value.endswith("/any"):
            return self._any(value.removesuffix("/any"))
        return self._comparison(value)

    def _affix(self, function: str) -> Predicate:
        self._expect("(")
        name = self._take()[1]
        self._expect(",")
        wanted = str(self._literal()).casefold()
        self._expect(")")
        if function == "startswith":
            return lambda raw: str(raw.get(name) or "").casefold().startswith(wanted)
        return lambda raw: str(raw.get(name) or "").casefold().endswith(wanted)

    def _any(self, collection: str) -> Predicate:
        self._expect("(")
        variable = self._take()[1]
        self._expect(":")
        self._expect(variable)
        self._expect("eq")
        wanted = _folded(self._literal())
        self._expect(")")
        return lambda raw: wanted in [_folded(item) for item in raw.get(collection) or ()]

    def _comparison(self, name: str) -> Predicate:
        operator = self._take()[1]
        if operator == "in":
            wanted = self._literals()
            return lambda raw: _folded(raw.get(name)) in wanted
        if operator in {"eq", "ne"}:
            value = _folded(self._literal())
            if operator == "eq":
                return lambda raw: _folded(raw.get(name)) == value
            return lambda raw: _folded(raw.get(name)) != value
        raise UnsupportedQueryError(f"Unsupported or invalid query filter clause specified for property '{name}'.")

    def _literals(self) -> list[Any]:
        self._expect("(")
        values = [_folded(self._literal())]
        while self._peek() == ("punctuation", ","):
            self._take()
            values.append(_folded(self._literal()))
        self._expect(")")
        return values

    def _literal(self) -> Any:
        kind, value = self._take()
        if kind == "string":
            return value[1:-1].replace("''", "'")
        words = {"true": True, "false": False, "null": None}
        if kind == "word" and value in words:
            return words[value]
        # Graph takes an id without quotes in some filters (groupId eq 1111...): a GUID literal of OData.
        if kind == "word" and re.fullmatch(r"[0-9A-Za-z-]+", value):
            return value
        raise UnsupportedQueryError(f"Invalid filter clause: a literal expected, found '{value or kind}'.")


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


_OF_USERS_UNASKED = frozenset(
    {
        *("id", "displayName", "userPrincipalName", "mail", "givenName", "surname", "jobTitle"),
        *("officeLocation", "mobilePhone", "businessPhones", "preferredLanguage"),
    }
)
"""What v1.0 answers of a user when nothing is asked for (learn.microsoft.com/graph/api/user-get). The page of getByIds says
the same in words; microsoft-graph-docs-contrib 8798 found `accountEnabled` missing there."""

_OF_TYPES = {
    "accountEnabled": ("user", "servicePrincipal", "device"),
    "alternativeNames": ("servicePrincipal",),
    "appId": ("servicePrincipal", "application"),
    "isAssignableToRole": ("group",),
    "servicePrincipalType": ("servicePrincipal",),
    "userPrincipalName": ("user",),
    "userType": ("user",),
    "visibility": ("group",),
}
"""Properties that only some types have: in a collection of mixed types the others come without them."""


def select(raw: Raw, names: str | None, *, version: str = "v1.0", of_users: bool = False) -> dict[str, Any]:
    """The properties that `$select` names, null where the object has none; type annotations stay.

    Only what was asked comes back: a client that needs `id` has to select it. Without `$select` v1.0 answers a small set of
    a user's properties, and everything of other types.

    Args:
        raw: the object.
        names: value of `$select`.
        version: `v1.0` or `beta`.
        of_users: whether objects without a type annotation are users.
    """
    kept = {name: value for name, value in raw.items() if name.startswith("@odata.")}
    kind = str(raw.get("@odata.type") or "").removeprefix("#microsoft.graph.")
    if not names:
        if version == "v1.0" and (kind == "user" or (of_users and not kind)):
            return kept | {name: value for name, value in raw.items() if name in _OF_USERS_UNASKED}
        return dict(raw)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    return kept | {name: raw.get(name) for name in wanted if not kind or kind in _OF_TYPES.get(name, (kind,))}


def page_size(top: str | None) -> int:
    """The number of objects a page holds.

    Raises:
        UnsupportedQueryError: `$top` is not a number from 1 to 999.
    """
    if top is None:
        return DEFAULT_PAGE
    if not re.fullmatch(r"[0-9]{1,9}", top) or not 1 <= int(top) <= LARGEST_PAGE:
        raise UnsupportedQueryError(f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.")
    return int(top)


def skip_token(offset: int) -> str:
    """An opaque `$skiptoken`; clients must send it back as it is."""
    return base64.urlsafe_b64encode(b"RFNwdAIAAQ" + str(offset).encode()).decode().rstrip("=")


def offset_of(token: str | None) -> int:
    """Where the page of this token starts; 0 without one.

    Raises:
        UnsupportedQueryError: the token is not one of ours.
    """
    if token is None:
        return 0
    try:
        decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        offset = int(decoded.removeprefix("RFNwdAIAAQ"))
    except ValueError as error:
        raise UnsupportedQueryError(UNKNOWN_PAGE) from error
    if offset < 0:
        raise UnsupportedQueryError(UNKNOWN_PAGE)
    return offset


def one_page(items: Sequence[Raw], offset: int, size: int) -> tuple[Sequence[Raw], int | None]:
    """The page that starts at `offset`, and where the next one starts (None after the last)."""
    end = offset + size
    return items[offset:end], end if end < len(items) else None
