"""From an answer of a vault to what it means. Sources of codes and phrases: facts azure.md 6 and 6.1.

The vault looks at the network first, then at the token, then at permissions, then at the object: so 404 for a name that
cannot exist means that the call was permitted, and 403 of the network says nothing of permissions.
"""

import re
from dataclasses import replace

from kvaudit.clients.probes import Broke, ProbeAnswer
from kvaudit.probe.catalogue import Probe
from kvaudit.probe.results import Found, Outcome, State

_FIREWALL = re.compile(r"client address is not authorized and caller is not a trusted service", re.IGNORECASE)
_CONNECTION = re.compile(
    r"public network access is disabled and request is not from|not an approved private link", re.IGNORECASE
)
_REFUSED = re.compile(
    r"caller is not authorized to perform action on resource|does not have \w+ \w+ permission on key ?vault",
    re.IGNORECASE,
)
_REFUSAL_CODES = frozenset({"forbiddenbyrbac", "accessdenied"})
_ABSENT_CODES = frozenset({"secretnotfound", "keynotfound", "certificatenotfound"})
_OTHER_ISSUER = re.compile(r"AKV10032|invalid issuer", re.IGNORECASE)

_BROKEN = {
    Broke.NAME: State.NO_SUCH_NAME,
    Broke.LOOKUP: State.LOOKUP_FAILED,
    Broke.PROXY: State.PROXY,
    Broke.CONNECTION: State.NO_CONNECTION,
    Broke.TLS: State.TLS,
    Broke.ANSWER: State.NO_ANSWER,
    Broke.TOKEN: State.NO_TOKEN,
}


def state_of(answer: ProbeAnswer) -> State | None:
    """The state that an answer shows where it shows one that ends the probing of this vault; None where it does not."""
    if answer.broke is not None:
        return _BROKEN[answer.broke]
    code = (answer.code or "").casefold()
    if answer.status == 403:
        if code == "forbiddenbyfirewall" or _FIREWALL.search(answer.message):
            return State.FIREWALL
        if code == "forbiddenbyconnection" or _CONNECTION.search(answer.message):
            return State.PRIVATE_LINK
    if answer.status == 401:
        return State.OTHER_TENANT if _OTHER_ISSUER.search(answer.message) else State.TOKEN_REFUSED
    if answer.status == 404 and code == "vaultnotfound":
        return State.SOFT_DELETED
    return None


def found_by(probe: Probe, answer: ProbeAnswer) -> Found:
    """What an answer says of the operation of a probe. Whatever has no established meaning is not a verdict."""
    return told_of(probe, _verdict(probe, answer))


def told_of(probe: Probe, found: Found) -> Found:
    """What was found, with the call that it was found by."""
    return replace(found, call=probe.id, shown=probe.shown, decides=probe.decides)


def _verdict(probe: Probe, answer: ProbeAnswer) -> Found:
    code = (answer.code or "").casefold()
    outcome = Outcome.NOT_PROBED
    if state_of(answer) is not None:
        return Found(probe.word, outcome, answer.reason, answer.status, answer.code)
    if answer.status == 200 and 200 in probe.permitted:
        return Found(probe.word, Outcome.ALLOWED, f"{probe.shown} was answered with 200", 200)
    if answer.status == 404 and 404 in probe.permitted and code in _ABSENT_CODES:
        return Found(probe.word, Outcome.ALLOWED, f"{probe.shown}: 404, so the call was permitted", 404, answer.code)
    refused = refused_by(probe.word, probe.shown, answer)
    if refused is not None:
        return refused
    if answer.status == 429:
        because = f"{probe.shown}: throttled, also after waiting as long as is sensible"
    elif answer.status is not None and answer.status < 400:
        because = f"{probe.shown} was answered with {answer.status}, which no vault should; the body was not read"
    else:
        because = f"{probe.shown}: {answer.reason}; what that says of the permission is not established"
    return Found(probe.word, outcome, because, answer.status, answer.code)


def refused_by(word: str, shown: str, answer: ProbeAnswer) -> Found | None:
    """The verdict of an answer that refuses for want of permission; None for any other answer.

    Args:
        word: permission word.
        shown: the call, for a person.
    """
    code = (answer.code or "").casefold()
    if answer.status != 403 or state_of(answer) is not None:
        return None
    if code not in _REFUSAL_CODES and not _REFUSED.search(answer.message):
        return None
    because = f"{shown}: 403 {answer.code or ''}".rstrip()
    deny, decision = _deny_of(answer.message), _decision_of(answer.message)
    return Found(word, Outcome.DENIED, because, 403, answer.code, deny, decision)


def _deny_of(message: str) -> str | None:
    found = re.search(r"DenyAssignmentId:\s*'?([^'\s,]{1,500})", message)
    return found[1] if found and found[1].casefold() != "null" else None


def _decision_of(message: str) -> str:
    found = re.search(r"DecisionReason:\s*'?(\w{1,100})", message)
    return found[1].casefold() if found else ""
