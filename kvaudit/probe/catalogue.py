"""Which operations can be probed, by which call, and why the others cannot (`probeWithRandomName` of `data/operations.json`)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kvaudit.model.permissions import operations

API_VERSION = "7.5"
"""Of the data plane: the newest that sovereign clouds have had for years; these calls did not change since."""

_LIST_PATHS = {"secrets/list": "/secrets", "keys/list": "/keys", "certificates/list": "/certificates"}
_READ_PATHS = {"secrets/get": "/secrets/", "keys/get": "/keys/", "certificates/get": "/certificates/"}


@dataclass(frozen=True, slots=True)
class Probe:
    """One call that decides one operation.

    Attributes:
        word: the permission word.
        path: of the call; a name that cannot exist is added where `needs_name`.
        needs_name: whether the call reads one object.
    """

    word: str
    path: str
    needs_name: bool

    @property
    def shown(self) -> str:
        """The call for a person: `GET /secrets/{random name}`."""
        return f"GET {self.path}" + ("{random name}" if self.needs_name else "")


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe, in the order in which they are made: of each kind the list first, then the read."""
    safe = _safe_calls()
    found = []
    for kind in ("secrets", "keys", "certificates"):
        for word, paths in ((f"{kind}/list", _LIST_PATHS), (f"{kind}/get", _READ_PATHS)):
            probe = Probe(word, paths[word], word in _READ_PATHS)
            if (word, _pattern(probe)) in safe:
                found.append(probe)
    return tuple(found)


def _pattern(probe: Probe) -> str:
    return f"{probe.path}{{name}}/{{version}}" if probe.needs_name else probe.path


@cache
def _calls() -> tuple[dict[str, Any], ...]:
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())
    return tuple(raw["dataPlane"])


@cache
def _safe_calls() -> frozenset[tuple[str, str]]:
    """(word, path) of the calls that the published facts call safe without a condition."""
    return frozenset(
        (word, call["path"])
        for call in _calls()
        for word in call["accessPolicyAnyOf"]
        if call["method"] == "GET" and (call.get("probeWithRandomName") or {}).get("safe") is True
    )


@cache
def not_probed() -> dict[str, str]:
    """The permission words that no probe decides, each with the reason; in the catalogue's order."""
    probed = {probe.word for probe in probes()}
    return {item.word: _why_not(item.word, item.data_actions) for item in operations() if item.word not in probed}


def _why_not(word: str, data_actions: tuple[str, ...]) -> str:
    named = [item for item in _calls() if word.casefold() in {name.casefold() for name in item["accessPolicyAnyOf"]}]
    calls = named or [item for item in _calls() if item["dataActions"] == list(data_actions)]
    if not calls or all(item["method"] != "GET" for item in calls):
        return _why_not_writing(calls)
    if any("{" in item["path"] for item in calls if item["method"] == "GET"):
        return "what its call answers for a name that does not exist is not established"
    return "whether its call answers without showing what exists is not established"


def _why_not_writing(calls: list[dict[str, Any]]) -> str:
    told = [item.get("probeWithRandomName") for item in calls]
    if any(item and item.get("safe") is False for item in told):
        return "its call creates or overwrites an object"
    if any(item and item.get("safe") for item in told):
        return "its call changes or copies an object, and what it answers for an absent name was never verified"
    return "its call uses or changes an object"
