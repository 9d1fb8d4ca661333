"""A secret of our own, walked through every write: set, update, delete, recover, delete, purge. Its value is never read back.

It is noted on disk before the first write and is taken away in every outcome, also when the run is interrupted. What could
not be taken away is told with the command that does it. Deleting and recovering take a while at the service, which answers
404 or 409 until they are done (facts azure.md 6): those answers are waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kvaudit.clients.canary_names import UPDATE_BODY, CanaryNames, worthless_value
from kvaudit.clients.probes import ProbeAnswer, VaultProbes
from kvaudit.probe.catalogue import API_VERSION
from kvaudit.probe.journal import Journal
from kvaudit.probe.results import Found, Outcome
from kvaudit.probe.verdicts import refused_by

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between the tries of a call that has to wait for the one before it."""

_SHORT = 2
"""Tries again after a deletion that found nothing: there is most likely nothing to purge."""

_UNSETTLED = frozenset({404, 409})

_NOT_REACHED = "the canary did not get so far"

_CLEARING = frozenset({"delete", "purge"})


class _State(StrEnum):
    ABSENT = "absent"
    LIVE = "live"
    DELETED = "deleted"
    UNSURE = "unsure"


_CALLS = {
    "set": ("PUT", "/secrets/{name}"),
    "update": ("PATCH", "/secrets/{name}/"),
    "delete": ("DELETE", "/secrets/{name}"),
    "recover": ("POST", "/deletedsecrets/{name}/recover"),
    "purge": ("DELETE", "/deletedsecrets/{name}"),
}
_LEADS_TO = {
    "set": _State.LIVE,
    "update": _State.LIVE,
    "delete": _State.DELETED,
    "recover": _State.LIVE,
    "purge": _State.ABSENT,
}


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """What a canary found.

    Attributes:
        name: its name, or None where none was written.
        found: what the vault said of each write, for this name only.
        because: why none was written, or why it or its note is still there; "" otherwise.
        command: what removes it, where it is still there; else None.
        leftovers: names of canaries of earlier runs that were found and are gone now.
    """

    name: str | None
    found: tuple[Found, ...] = ()
    because: str = ""
    command: str | None = None
    leftovers: tuple[str, ...] = ()


def removal(vault: str, name: str, *, is_deleted: bool = False) -> str:
    """The command that removes a canary. Both names hold letters, digits and hyphens alone.

    Where it is not known to be deleted already, that is tried and the purge follows whatever came of it. `;` stands in every
    shell between two commands, `&&` not in Windows PowerShell.
    """
    place = f"--vault-name {vault} --name {name}"
    purge = f"az keyvault secret purge {place}"
    return purge if is_deleted else f"az keyvault secret delete {place}; {purge}"


class Canary:
    """One canary in one vault.

    Args:
        clients: sends.
        names: opens the way for its name.
        journal: notes it.
        host: of the vault.
        vault: its name.
        pause: waits so many seconds.
        found: names of canaries of earlier runs that were found in the vault. The first of them, or of those that the
            journal knows, is taken up again; the others are taken away.
    """

    def __init__(
        self,
        clients: VaultProbes,
        names: CanaryNames,
        journal: Journal,
        host: str,
        vault: str,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        found: Sequence[str] = (),
    ) -> None:
        self._clients, self._names, self._journal = clients, names, journal
        self._host, self._vault, self._pause = host, vault, pause
        self._name = ""
        self._state = _State.ABSENT
        self._why = ""
        self._was_seen = False
        self._is_stopped = False
        self._earlier = list(dict.fromkeys([*journal.leftovers(host), *found]))

    async def walk(self) -> CanaryResult:
        """Writes it, walks it and takes it away.

        Raises:
            OutputError: it could not be noted; nothing was written.
            asyncio.CancelledError: interrupted; it was taken away, or its note is still on the disk. The call that was under
                way is waited for: one that arrived after the clearing up would leave the canary behind.
        """
        work = asyncio.create_task(self._walk())
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._is_stopped = True
            await work
            raise

    async def _walk(self) -> CanaryResult:
        gone = await self._clear_others()
        earlier = self._earlier[0] if self._earlier else None
        if earlier is not None:
            self._take_up(earlier)
        else:
            self._name = self._names.new(self._host)
            self._state, self._was_seen, self._why = _State.ABSENT, False, ""
            self._journal.write(self._host, self._name)
        return replace(await self._walk_one(earlier), leftovers=gone)

    def _take_up(self, name: str) -> None:
        """A canary of an earlier run, which may be there, deleted, or gone. Noted first, if it was not yet."""
        self._names.again(self._host, name)
        self._journal.write(self._host, name)
        self._name, self._state, self._was_seen, self._why = name, _State.UNSURE, False, ""

    async def _clear_others(self) -> tuple[str, ...]:
        """Takes away all but the first of the earlier canaries. The names of those that are gone; the others stay noted."""
        gone = []
        for name in self._earlier[1:]:
            if self._is_stopped:
                break
            self._take_up(name)
            if await self._take_away({}):
                self._journal.forget(name)
                gone.append(name)
        return tuple(gone)

    async def _walk_one(self, earlier: str | None) -> CanaryResult:
        found: dict[str, Found] = {}
        is_gone, note = False, ""
        try:
            if earlier is not None:
                await self._call("recover")  # it may be there deleted, there, or not there at all
            if not self._is_stopped:
                await self._through(found)
        finally:
            is_gone = await self._take_away(found)
            note = self._journal.forget(self._name) if is_gone else ""
        order = [f"secrets/{verb}" for verb in _CALLS]
        told = tuple(found.get(word) or Found(word, Outcome.NOT_PROBED, _NOT_REACHED) for word in order)
        if is_gone:
            return CanaryResult(self._name, told, note)
        command = removal(self._vault, self._name, is_deleted=self._state is _State.DELETED)
        return CanaryResult(self._name, told, self._why, command)

    async def _through(self, found: dict[str, Found]) -> None:
        """As far as the vault permits; each verb's first verdict counts."""
        if not await self._try("set", found):
            return
        await self._try("update", found)
        if self._is_stopped or not await self._try("delete", found):
            return
        await self._try("recover", found)

    async def _take_away(self, found: dict[str, Found]) -> bool:
        """Deletes and purges, whatever came before. Whether it is gone."""
        if self._state is _State.ABSENT:
            return True
        was_there = True
        if self._state is not _State.DELETED:
            answer = await self._call("delete", PAUSES if self._state is _State.LIVE else PAUSES[:_SHORT])
            found.setdefault("secrets/delete", _found("delete", answer))
            was_there = self._was_seen or answer.status != 404  # one that was made or recovered is not gone by a 404
            if not _went_well(answer) and answer.status not in _UNSETTLED:
                self._why = f"it could not be deleted: {answer.reason}"
                return False
        answer = await self._call("purge", PAUSES if was_there else PAUSES[:_SHORT])
        found.setdefault("secrets/purge", _found("purge", answer))
        if _went_well(answer) or (answer.status == 404 and not was_there):
            return True
        self._why = f"it could not be purged: {answer.reason}"
        return False

    async def _try(self, verb: str, found: dict[str, Found]) -> bool:
        answer = await self._call(verb, PAUSES)
        found.setdefault(f"secrets/{verb}", _found(verb, answer))
        return _went_well(answer) and not self._is_stopped

    async def _call(self, verb: str, pauses: tuple[float, ...] = ()) -> ProbeAnswer:
        """One write, repeated while the service has not finished the one before. Until it answers, nothing is sure."""
        method, path = _CALLS[verb]
        body = {"value": worthless_value()} if verb == "set" else UPDATE_BODY if verb == "update" else None
        before, self._state = self._state, _State.UNSURE
        query = {"api-version": API_VERSION}
        answer = await self._clients.write(self._host, method, path.replace("{name}", self._name), query, body)
        for seconds in pauses:
            if answer.status not in _UNSETTLED or (self._is_stopped and verb not in _CLEARING):
                break
            await self._pause(seconds)
            answer = await self._clients.write(self._host, method, path.replace("{name}", self._name), query, body)
        if _went_well(answer):
            self._state = _LEADS_TO[verb]
            self._was_seen = self._state is not _State.ABSENT
        elif answer.status is not None and 400 <= answer.status < 500 and answer.status not in _UNSETTLED:
            self._state = before  # refused: nothing happened
        return answer


def _went_well(answer: ProbeAnswer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _found(verb: str, answer: ProbeAnswer) -> Found:
    """What an answer says of a write: done, refused for want of permission, or neither."""
    word, shown = f"secrets/{verb}", f"{_CALLS[verb][0]} {_CALLS[verb][1]}".replace("{name}", "{canary}")
    if _went_well(answer):
        return Found(word, Outcome.ALLOWED, f"{shown} was answered with {answer.status}", answer.status)
    refused = refused_by(word, shown, answer)
    return refused or Found(word, Outcome.NOT_PROBED, f"{shown}: {answer.reason}", answer.status, answer.code)
