"""What a text says of a failed call: codes, who called, which operation on what. Nothing is guessed here.

The text may be a JSON body, an exception of any SDK, a traceback, output of `az` or Terraform, or a line of a log: all of
them quote the service's own words, more or less escaped.
"""

import ipaddress
import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from kvaudit.explain.explanation import Caller
from kvaudit.explain.logs import log_record, logged, status_of
from kvaudit.model.clouds import clouds
from kvaudit.model.permissions import operation, operations

LONGEST = 200_000
"""Characters looked at. Of a longer text the beginning and the end: errors stand at either."""

_GUID = r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
_VAULT = r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. None and "" mean: not in the text.

    Attributes:
        text: the text with its escapes undone, on one line: terminals break lines within the services' phrases.
        codes: every error code in it, folded.
        statuses: HTTP statuses in it, the surest first.
        word: permission word.
        action: data action or control-plane action, as written.
        resource: resource ID that the action was on.
        deny_assignment: ID of the deny assignment that decided.
        assignment: ID of a role assignment that the service names.
        reason: `DecisionReason`, folded.
        found_tenant, expected_tenants: of an issuer that was refused.
    """

    text: str
    codes: frozenset[str] = frozenset()
    statuses: tuple[int, ...] = ()
    word: str | None = None
    action: str | None = None
    resource: str | None = None
    vault: str | None = None
    object: str | None = None
    caller: Caller = field(default_factory=Caller)
    deny_assignment: str | None = None
    assignment: str | None = None
    reason: str = ""
    found_tenant: str | None = None
    expected_tenants: tuple[str, ...] = ()
    log: dict[str, Any] | None = None

    @property
    def status(self) -> int | None:
        """The surest HTTP status, or None."""
        return self.statuses[0] if self.statuses else None

    def has(self, pattern: str) -> bool:
        """Whether the text matches a pattern, in any case."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None


def find_facts(text: str) -> Facts:
    """Everything that a text says."""
    flat = _plain(text).replace("\n", " ")
    log = log_record(text)
    # Beside other records the one that is told goes first: what it names is not another's.
    own = _plain(json.dumps(log)).replace("\n", " ") if log else ""
    ahead = f"{own} {flat}" if own else flat
    word, action = _operation(ahead, log)
    resource = _first(r"Resource:\s*'?(/subscriptions/[^'\s\"]{1,1000})", ahead) or _first(
        r"over scope '([^']{1,1000})'", ahead
    )
    vault = (_vault(own, resource) if own else None) or _vault(flat, resource)
    return Facts(
        text=flat,
        codes=_codes(flat),
        statuses=_statuses(flat, log),
        word=word,
        action=action,
        resource=resource.rstrip("'.,") if resource else None,
        vault=vault,
        object=(_object(own, resource, vault) if own else None) or _object(flat, resource, vault),
        caller=_caller(ahead, log),
        deny_assignment=_not_null(_first(rf"DenyAssignmentId:\s*'?([^'\s,]{{0,500}}{_GUID}|null)", ahead)),
        assignment=_not_null(_first(rf"(?<!Deny)Assignment:\s*'?([^'\s,]{{0,500}}{_GUID})", ahead)),
        reason=(_first(r"DecisionReason:\s*'?(\w+)", ahead) or "").casefold(),
        found_tenant=_first(rf"found\s+https?://sts\.[a-z.]+/({_GUID})", flat),
        expected_tenants=_expected(flat),
        log=log,
    )


def _plain(text: str) -> str:
    if len(text) > LONGEST:
        text = f"{_to_line_end(text[: LONGEST // 2])}\n{_from_line_begin(text[-LONGEST // 2 :])}"
    # Runs of white space first: a pattern with \s* twice takes the square of their length.
    text = re.sub(r"\n[\n ]+", "\n", re.sub(r"[^\S\n]+", " ", text))
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    # Escapes of JSON inside JSON inside a log: two rounds undo what real errors hold. Bounded, or long runs cost their square.
    for _ in range(2):
        text = re.sub(r"\\{1,8}u00([0-7][0-9a-fA-F])", lambda found: chr(int(found[1], 16)), text)
        text = re.sub(r"\\{1,8}r\\{1,8}n|\\{1,8}[nr]", "\n", text)
        text = re.sub(r"\\{1,8}\"", '"', text)
    text = text.replace("&quot;", '"').replace("&#39;", "'").replace("&amp;", "&")
    # Terraform and az draw a bar before every line of an error and break it at the terminal's width.
    text = re.sub(r"^[ \t]*[│|╷╵>][ \t]?", "", text, flags=re.MULTILINE)
    return re.sub(r"\n[\n ]+", "\n", re.sub(r"[^\S\n]+", " ", text))


_LONGEST_LINE = 10_000
"""Characters within which a line's end is looked for, so that no refusal is cut in two, where lines are shorter."""


def _to_line_end(text: str) -> str:
    end = text.rfind("\n", len(text) - _LONGEST_LINE)
    return text[:end] if end >= 0 else text


def _from_line_begin(text: str) -> str:
    begin = text.find("\n", 0, _LONGEST_LINE)
    return text[begin + 1 :] if begin >= 0 else text


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.IGNORECASE)
    return found[1] if found else None


def _not_null(value: str | None) -> str | None:
    return None if value is None or value.casefold() in ("null", "") else value


def _codes(text: str) -> frozenset[str]:
    """Codes under `code` in JSON, `Code="X"`, `(X)` at the head of a message, and well-known names anywhere."""
    found = set(re.findall(r"[\"']?code[\"']?\s*[:=]\s*[\"']?([A-Za-z][A-Za-z0-9_.]{3,60})", text, re.IGNORECASE))
    found.update(re.findall(r"\(([A-Z][A-Za-z]{5,60})\)", text))
    found.update(re.findall(r"\b(A(?:KV|ADSTS)\d{4,8})\b", text))
    found.update(re.findall(r"\b((?:[A-Z][a-z]+){2,10})(?:[:,.]|\b)", text)[:2000])
    return frozenset(code.casefold() for code in found)


_STATUS = (
    r"status(?:\s*code|code)?[\"']?\s*[:=]?\s*[\"']?\(?([1-5]\d\d)\b",
    r"\bHTTP(?:/[\d.]{1,5})?[ /:]{1,3}([1-5]\d\d)\b",
    r"\bresponded with ([45]\d\d)\b",
    r"\(([45]\d\d)\)",
    r"\b([45]\d\d) (?:Forbidden|Unauthorized|Not Found|Conflict|Bad Request|Too Many Requests)\b",
)


def _statuses(text: str, log: dict[str, Any] | None) -> tuple[int, ...]:
    """Every HTTP status in a text, the surest first."""
    told = status_of(log)
    if told is not None:
        return (told,)
    found = (int(item) for pattern in _STATUS for item in re.findall(pattern, text, re.IGNORECASE)[:100])
    return tuple(dict.fromkeys(found))


def _operation(text: str, log: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """The permission word, and the action as written."""
    action = _first(r"Action:\s*'?([A-Za-z.]{1,100}/[A-Za-z0-9/.]{1,200})", text) or _first(
        r"perform action '([^']{1,300})'", text
    )
    if action:
        return _word_of_action(action), action
    policy = re.search(r"does not have (secrets?|keys?|certificates?) (\w+) permission", text, re.IGNORECASE)
    if policy:
        return _word(f"{policy[1].rstrip('sS').casefold()}s/{policy[2]}"), None
    policy = re.search(r"\b(secrets|keys|certificates) (\w+) permission on key vault", text, re.IGNORECASE)
    if policy:
        return _word(f"{policy[1].casefold()}/{policy[2]}"), None
    name = str((log or {}).get("operationname") or "")
    return _words_of_logs().get(name.casefold()), None


def _word(text: str) -> str | None:
    try:
        return operation(text).word
    except KeyError:
        return None


def _word_of_action(action: str) -> str | None:
    folded = action.casefold()
    return next((item.word for item in operations() if folded in {name.casefold() for name in item.data_actions}), None)


@cache
def _words_of_logs() -> dict[str, str]:
    """Names of operations in audit logs -> permission word (`SecretGet` -> `secrets/get`)."""
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())
    table: dict[str, str] = {}
    for item in raw["dataPlane"]:
        name, words = item.get("logOperationName"), item.get("accessPolicyAnyOf") or []
        word = _word(words[0]) if name and words else None
        if word:
            table.setdefault(name.casefold(), word)
    return table


def _suffixes() -> str:
    return "|".join(re.escape(item.vault_suffix.lstrip(".")) for item in clouds().values())


def _vault(text: str, resource: str | None) -> str | None:
    """The vault: what the service itself names goes before addresses beside it, of which a log may hold several."""
    for pattern in (
        rf"/providers/Microsoft\.KeyVault/vaults/({_VAULT})(?=[/'\"\s.,;)]|$)",
        rf"'Microsoft\.KeyVault/vaults/({_VAULT})'",
    ):
        found = _first(pattern, resource or "")
        if found:
            return found
    for pattern in (
        rf"key ?vault '({_VAULT});location=",
        rf"\bVault: ({_VAULT});",
        rf"/providers/Microsoft\.KeyVault/vaults/({_VAULT})(?=[/'\"\s.,;)]|$)",
        rf"'Microsoft\.KeyVault/vaults/({_VAULT})'",
        rf"\b({_VAULT})\.(?:{_suffixes()})",
        rf"vault name '({_VAULT})'",
        rf"deleted vault '({_VAULT})'",
    ):
        found = _only(pattern, text)
        if found is not None:
            return found or None
    return None


def _only(pattern: str, text: str) -> str | None:
    """What a pattern finds, where that is one thing in any case; "" where it finds several, None where it finds nothing."""
    found = re.findall(pattern, text, re.IGNORECASE)[:1000]
    return found[0] if len({item.casefold() for item in found}) == 1 else "" if found else None


_KIND = {"secret": "secrets", "key": "keys", "certificate": "certificates"}


def _object(text: str, resource: str | None, vault: str | None) -> str | None:
    """The object, named by the service; else the only one in the addresses of the vault."""
    found = re.search(r"/(secrets|keys|certificates)/([0-9A-Za-z-]{1,127})(?=[/'\"\s?.,]|$)", resource or "")
    if found:
        return f"{found[1].casefold()}/{found[2]}"
    for pattern in (
        r"\b(Secret|Key|Certificate) ([0-9A-Za-z-]{1,127}) is currently",
        r"\bA (secret|key|certificate) with \(name/id\) ([0-9A-Za-z-]{1,127})",
    ):
        named = re.search(pattern, text, re.IGNORECASE)
        if named:
            return f"{_KIND[named[1].casefold()]}/{named[2]}"
    host = rf"\b{re.escape(vault)}\." if vault else ""
    path = rf"{host}(?:{_suffixes()})(?::443)?/(?:deleted)?((?:secrets|keys|certificates)/[0-9A-Za-z-]{{1,127}})"
    only = _only(path, text)
    if not only:
        return None
    kind, _, name = only.partition("/")
    return f"{kind.casefold()}/{name}"


def _caller(text: str, log: dict[str, Any] | None) -> Caller:
    def guid(pattern: str) -> str | None:
        found = _first(pattern, text)
        return found.casefold() if found else None

    client = re.search(rf"The client '([^']{{0,300}})'(?: with object id '({_GUID})')?", text, re.IGNORECASE)
    return Caller(
        object_id=logged(log, "objectidentifier")
        or guid(rf"\boid=({_GUID})")
        or (client[2].casefold() if client and client[2] else None),
        app_id=logged(log, "appid") or guid(rf"\bappid=({_GUID})"),
        tenant_id=guid(rf"iss=https?://sts\.[a-z.]+/({_GUID})"),
        name=_name(client[1] if client else None) or _first(r"Caller:\s*name=([^;\s']{1,200});", text),
        address=_address(_first(r"Client address:\s*([0-9a-fA-F.:]{3,45})", text)) or logged(log, "calleripaddress"),
    )


def _address(text: str | None) -> str | None:
    """An IP address, without the end of a sentence or a port; None for what is none."""
    for part in (text or "").rstrip(".:"), (text or "").partition(":")[0]:
        try:
            return str(ipaddress.ip_address(part))
        except ValueError:
            continue
    return None


def _name(client: str | None) -> str | None:
    """Who a client is, where it is not an ID."""
    return client if client and not re.fullmatch(_GUID, client) else None


def _expected(text: str) -> tuple[str, ...]:
    """Tenants between "Expected one of" and "found"."""
    start = text.casefold().find("expected one of ")
    part = text[start : start + 2000] if start >= 0 else ""
    return tuple(item.casefold() for item in re.findall(rf"/({_GUID})", part.partition("found ")[0]))
