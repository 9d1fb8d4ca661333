"""Calls that concern vaults in shell and PowerShell scripts: `az keyvault`, `az rest`, `New-AzKeyVault` and their like."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from kvaudit.sources.located import Position
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.script_words import Dialect, Word, split_commands

LARGEST_SCRIPT = 1024 * 1024
"""Characters of a script that are looked at; no script that people write comes near."""

MENTIONS = re.compile(
    r"\baz(?:\.cmd|\.exe)?[ \t]+(?:keyvault|rest|resource|role)\b"
    r"|\b(?:New|Set|Update|Remove)-Az(?:ureRm)?KeyVault|\bInvoke-AzRest|\b(?:New|Set)-AzResource\b|\bNew-AzRoleAssignment\b",
    re.IGNORECASE,
)
"""What a script holds that makes a call worth a look."""

IS_POWERSHELL = re.compile(r"\b(?:New|Set|Get|Update|Remove|Invoke|Connect)-Az\w+", re.IGNORECASE)

_AZ_GROUPS = {
    "keyvault": 3,
    "rest": 1,
    "resource": 2,
    "role": 3,
}
"""First word after `az` -> words that a command of the group may have."""

_CMDLETS = frozenset(
    {
        "new-azkeyvault",
        "update-azkeyvault",
        "set-azkeyvaultaccesspolicy",
        "invoke-azrestmethod",
        "invoke-azrest",
        "new-azresource",
        "set-azresource",
        "new-azroleassignment",
    }
)

_TALKERS = frozenset(
    {"echo", "printf", "write-host", "write-output", "write-verbose", "write-warning", "throw", "cat", "grep"}
)
"""Commands that only show the words that follow."""

_SECRET_OPTIONS = frozenset({"value", "password", "secretvalue", "headers", "header"})
LEFT_OUT = "***"
"""Stands for a value that may be a secret."""

_HASHTABLE = re.compile(r"\$(?:\w+:)?(\w+)\s*=\s*(?:\[ordered\]\s*)?@\{([^{}]{0,4000})\}", re.IGNORECASE)
_CHANGED = re.compile(r"\$(?:\w+:)?(\w+)\s*(?:\.|\[|\+=)")
_AZ = re.compile(r"(?:.*[/\\])?az(?:\.cmd|\.exe)?", re.IGNORECASE)


def dialect_of(text: str, default: Dialect = Dialect.SHELL) -> Dialect:
    """PowerShell where its cmdlets are called, else the default."""
    return Dialect.POWERSHELL if IS_POWERSHELL.search(text) else default


def read_script(text: str, file: str, dialect: Dialect) -> tuple[ScriptCall, ...]:
    """Calls of a script in a file of its own, in the order of their places."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(at: int) -> Position:
        line = bisect_right(starts, at)
        return Position(file, line, at - starts[line - 1] + 1)

    return calls_in(text, dialect, place)


def calls_in(
    text: str, dialect: Dialect, place: Callable[[int], Position], tool_version: str | None = None
) -> tuple[ScriptCall, ...]:
    """Calls of a text whose offsets `place` knows."""
    if len(text) > LARGEST_SCRIPT or not MENTIONS.search(text):
        return ()
    tables = _hashtables(text) if dialect is Dialect.POWERSHELL else {}
    found = []
    for words in split_commands(text, dialect):
        call = _call(words, tables, place, tool_version)
        if call is not None:
            found.append(call)
    return tuple(sorted(found, key=lambda item: item.position))


def _call(
    words: Sequence[Word],
    tables: Mapping[str, Mapping[str, str | None]],
    place: Callable[[int], Position],
    tool_version: str | None,
) -> ScriptCall | None:
    for at, word in enumerate(words):
        if word.text.casefold() in _TALKERS:
            return None
        if word.is_quoted or word.is_variable:
            continue
        if _AZ.fullmatch(word.text):
            return _az(words[at:], place, tool_version)
        if word.text.casefold() in _CMDLETS:
            options = _powershell_options(words[at + 1 :], tables)
            return ScriptCall(place(word.at), "powershell", word.text.casefold(), options, tool_version)
    return None


def _az(words: Sequence[Word], place: Callable[[int], Position], tool_version: str | None) -> ScriptCall | None:
    if len(words) < 2 or words[1].text.casefold() not in _AZ_GROUPS:
        return None
    most = _AZ_GROUPS[words[1].text.casefold()]
    names: list[str] = []
    for word in words[1 : 1 + most]:
        if word.text.startswith("-") or word.is_variable:
            break
        names.append(word.text.casefold())
    options = _az_options(words[1 + len(names) :])
    return ScriptCall(place(words[0].at), "az", " ".join(names), options, tool_version)


def _az_options(words: Sequence[Word]) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    name: str | None = None
    for word in words:
        if word.text.startswith("-") and not word.is_quoted and not _is_number(word.text):
            name, separator, value = word.text.lstrip("-").partition("=")
            name = name.casefold()
            options[name] = _kept(name, value) if separator else None
        elif (
            name is None or "[@]" in word.text or "[*]" in word.text or (word.is_variable and options[name] is not None)
        ):
            options["@"] = None
        else:
            before = options[name]
            options[name] = _kept(name, word.text if before is None else f"{before} {word.text}", word)
    return options


def _powershell_options(words: Sequence[Word], tables: Mapping[str, Mapping[str, str | None]]) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    name: str | None = None
    for word in words:
        if word.text.startswith("@") and len(word.text) > 1 and (word.text[1].isalpha() or word.text[1] == "_"):
            options.update(tables.get(word.text[1:].casefold(), {"@": None}))
        elif word.text.startswith("-") and not word.is_quoted and not _is_number(word.text):
            name, separator, value = word.text.lstrip("-").partition(":")
            name = name.casefold()
            options[name] = _kept(name, value) if separator else None
        elif name is not None:
            before = options[name]
            options[name] = _kept(name, word.text if before is None else f"{before} {word.text}", word)
    return options


def _kept(name: str, value: str, word: Word | None = None) -> str:
    """A value as it may be kept: one that may be a secret is left out, unless it is a variable."""
    if name in _SECRET_OPTIONS and not (word is not None and word.is_variable):
        return LEFT_OUT
    return value[:2000]


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _hashtables(text: str) -> dict[str, Mapping[str, str | None]]:
    """Tables that `@name` hands to a cmdlet. One that is changed later holds options that are not known."""
    tables: dict[str, Mapping[str, str | None]] = {}
    changed = {found[1].casefold() for found in _CHANGED.finditer(text)}
    for found in _HASHTABLE.finditer(text):
        name = found[1].casefold()
        options = dict(_members(found[2]))
        if name in changed or name in tables:
            options["@"] = None
        tables[name] = options
    return tables


def _members(body: str) -> Iterator[tuple[str, str | None]]:
    for line in re.split(r"[\n;]", body):
        written, separator, rest = line.partition("=")
        name = written.strip().strip("'\"").casefold()
        if separator and re.fullmatch(r"\w+", name):
            yield name, _kept(name, rest.partition("#")[0].strip().strip("'\""))
