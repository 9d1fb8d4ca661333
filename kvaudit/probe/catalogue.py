"""Which calls are probes, which operation each decides, and why the others are none (`probeWithRandomName` of `data/operations.json`)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kvaudit.model.permissions import operations

API_VERSION = "7.5"
"""Of the data plane: the newest that sovereign clouds have had for years; these calls did not change since."""

_KINDS = {"secret": "secrets", "key": "keys", "certificate": "certificates"}
_DECIDING = frozenset({"list", "get"})
"""The calls whose answer is the verdict for their operation. The others of the same operation are told beside it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One call that the published facts call safe with a name that cannot exist.

    Attributes:
        id: of the call, as in the facts: `secret.listDeleted`.
        word: the permission word that an access policy needs for it.
        path: with `{name}` where a name that cannot exist is put in.
        permitted: statuses that only a caller with the permission gets.
        decides: whether its answer is the verdict for the operation.
    """

    id: str
    word: str
    path: str
    permitted: frozenset[int]
    decides: bool

    @property
    def needs_name(self) -> bool:
        """Whether the call is about one object."""
        return "{name}" in self.path

    @property
    def shown(self) -> str:
        """The call for a person: `GET /secrets/{random name}`."""
        return f"GET {self.path.replace('{name}', '{random name}')}"


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe, in the order in which they are made: kind by kind, lists first."""
    found = [_probe(call) for call in _calls() if _is_safe(call)]
    order = list(_KINDS.values())
    return tuple(sorted(found, key=lambda item: (order.index(item.word.partition("/")[0]), item.needs_name)))


def _is_safe(call: dict[str, Any]) -> bool:
    """Whether the facts call it safe without a condition; nothing but a GET ever is here."""
    return call["method"] == "GET" and (call.get("probeWithRandomName") or {}).get("safe") is True


def _probe(call: dict[str, Any]) -> Probe:
    told = call["probeWithRandomName"]["authorised"]
    permitted = frozenset(status for status in (200, 404) if str(status) in told)
    verb = call["id"].partition(".")[2]
    path = call["path"].removesuffix("/{version}")
    return Probe(call["id"], call["accessPolicyAnyOf"][0], path, permitted, verb in _DECIDING)


@cache
def _calls() -> tuple[dict[str, Any], ...]:
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())
    return tuple(raw["dataPlane"])


@cache
def not_probed() -> dict[str, str]:
    """The permission words that no probe decides, each with the reason; in the catalogue's order."""
    probed = {probe.word for probe in probes() if probe.decides}
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
