"""`probe`: what the records say, what the vaults say, and why the two differ."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kvaudit.app.canaries import WARNINGS, CanaryWish, leftovers, write_canaries
from kvaudit.app.clock import now
from kvaudit.app.interrupting import end_politely
from kvaudit.app.probe_targets import Records, Target, live_records, records_from, targets_of
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for
from kvaudit.clients.azure import Azure
from kvaudit.clients.canary_names import CanaryNames
from kvaudit.clients.session import open_azure
from kvaudit.clients.tokens import Caller
from kvaudit.collection.together import together
from kvaudit.errors import ExitCode, UsageError
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import Vault
from kvaudit.probe.canary import CanaryResult
from kvaudit.probe.differences import Agreement, Compared, Expectations
from kvaudit.probe.hints import Hint, hint_of
from kvaudit.probe.notice import ASK_ABOVE, FIRST_PAUSE, LONGEST_PAUSE, notice
from kvaudit.probe.probing import probe_vaults
from kvaudit.probe.results import TRANSIENT, Outcome, Probed, State


@dataclass(frozen=True, slots=True)
class ProbeAsked:
    """What `probe` was asked.

    Attributes:
        vaults: names, resource IDs or addresses.
        snapshot: the records to compare with; None reads them now.
        wait: seconds to go on until records and vaults agree, or None for one round.
        yes: whether a large run, and canaries, need no question.
        canary: what was asked of canaries, or None for none.
    """

    vaults: tuple[str, ...]
    snapshot: Path | None = None
    wait: float | None = None
    yes: bool = False
    canary: CanaryWish | None = None


@dataclass(frozen=True, slots=True)
class ProbedVault:
    """One vault as `probe` tells it.

    Attributes:
        vault: its record, or None where the records do not hold it.
        compared: one for each operation that can be probed, and for each write of a canary.
        expected: what the records say of every operation of the catalogue, by word; empty without a record.
    """

    target: Target
    vault: Vault | None
    probed: Probed
    compared: tuple[Compared, ...]
    hint: Hint
    expected: Mapping[str, Answer] = field(default_factory=dict)
    canary: CanaryResult | None = None


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """Everything that one run found.

    Attributes:
        rounds: how often was probed.
    """

    caller: Caller
    records: Records
    vaults: tuple[ProbedVault, ...]
    rounds: int

    @property
    def differs(self) -> bool:
        """Whether a vault says something else than the records."""
        return any(item.agreement is Agreement.DIFFERS for vault in self.vaults for item in vault.compared)

    @property
    def exit_code(self) -> ExitCode:
        """3 where records and vaults differ, 4 where something could not be probed or compared, else 0."""
        if self.differs:
            return ExitCode.FINDINGS
        unknown_vault = self.records.source == "snapshot" and any(item.vault is None for item in self.vaults)
        whole = all(item.probed.is_complete and not _is_unfinished(item.canary) for item in self.vaults)
        return ExitCode.OK if whole and not unknown_vault else ExitCode.INCOMPLETE


def _is_unfinished(canary: CanaryResult | None) -> bool:
    """Whether a canary that was asked for was not written, or is still there."""
    return canary is not None and (canary.name is None or canary.command is not None)


def probe(
    asked: ProbeAsked,
    connection: Connection,
    voice: Voice,
    *,
    ask: Callable[[str], bool],
    environ: Mapping[str, str] | None = None,
    records: Records | None = None,
) -> ProbeRun:
    """Probes vaults as the current identity.

    Args:
        ask: asks the person a question; True for yes.
        records: to compare with, where they are at hand already.
        environ: environment variables instead of the process's own (the embedded lab).

    Raises:
        UsageError: texts that name no vault, or several of the records, or a large run that nobody agreed to.
        CredentialError: no credential, a refused one, or one of another tenant.
        SnapshotError: the snapshot cannot be read.
    """
    targets = targets_of(asked.vaults, connection.cloud)
    if asked.snapshot is not None:
        records = records_from(asked.snapshot, voice)
        records.refuse_unclear(targets)
    _agree(targets, asked, voice, ask)
    if records is None:
        records = live_records(targets, connection, voice, environ=environ)
        records.refuse_unclear(targets)
    try:
        return asyncio.run(_run(targets, records, asked, connection, voice, environ))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None  # a polite kill ends the run as Ctrl-C does
    finally:
        if asked.canary is not None:
            for line in leftovers(asked.canary, targets):
                console_for("stderr", voice).print(line, soft_wrap=True)


def _agree(targets: Sequence[Target], asked: ProbeAsked, voice: Voice, ask: Callable[[str], bool]) -> None:
    """Says what the run will leave behind, and asks where that is much."""
    lines = [*notice(len(targets), asked.wait, canary=asked.canary is not None), *(WARNINGS if asked.canary else ())]
    must_ask = (len(targets) > ASK_ABOVE or asked.canary is not None) and not asked.yes
    if not voice.quiet or must_ask:
        console = console_for("stderr", voice)
        for line in lines:
            console.print(line, soft_wrap=True)
    if not must_ask:
        return
    if not sys.stdin.isatty():
        what = "a canary is written" if asked.canary else f"more than {ASK_ABOVE} vaults are probed"
        raise UsageError(
            f"{what} only where somebody agrees, and nobody is there to ask", hint="Give --yes where that is meant."
        )
    what = "Write canaries in" if asked.canary else "Probe"
    if not ask(f"{what} {len(targets)} vault{'' if len(targets) == 1 else 's'}?"):
        raise UsageError("nothing was probed", hint="Name fewer vaults.")


async def _run(
    targets: Sequence[Target],
    records: Records,
    asked: ProbeAsked,
    connection: Connection,
    voice: Voice,
    environ: Mapping[str, str] | None,
) -> ProbeRun:
    console = console_for("stderr", voice)
    names = CanaryNames() if asked.canary is not None else None
    end_politely()
    async with open_azure(
        connection.cloud,
        auth=connection.auth,
        tenant=connection.tenant,
        environ=environ,
        prompt=lambda text: console.print(text, soft_wrap=True),
        canaries=names,
    ) as azure:
        caller = await azure.sign_in()
        found = {item.host: records.vault(item) for item in targets}
        hosts = tuple(found)
        tenant = caller.tenant_id.casefold() if caller.tenant_id else None
        probed: dict[str, Probed] = {}
        hints: dict[str, Hint] = {}
        await together((_probe(azure, hosts, tenant, probed), _ask_hints(azure, found.values(), hints)))
        expectations = _expectations(records, caller)
        if expectations is None and (asked.wait is not None or caller.object_id is None) and not voice.quiet:
            what = "no records were read" if caller.object_id else "the token does not say who asks"
            console.print(f"warning: {what}, so there is nothing to compare with and to wait for", soft_wrap=True)
        rounds = 1
        if asked.wait is not None and expectations is not None:
            rounds = await _wait(azure, tenant, found, probed, expectations, asked.wait, voice)
        canaries: dict[str, CanaryResult] = {}
        if names is not None and asked.canary is not None:
            canaries = await write_canaries(azure, names, asked.canary, targets, found, probed, expectations)
        vaults = [
            _told(item, found[item.host], probed[item.host], hints, expectations, canaries.get(item.host))
            for item in targets
        ]
        return ProbeRun(caller, records, tuple(vaults), rounds)


async def _probe(azure: Azure, hosts: Sequence[str], tenant: str | None, probed: dict[str, Probed]) -> None:
    """Takes the newest answers of these vaults."""
    probed.update(await probe_vaults(azure.probes, hosts, tenant))


async def _ask_hints(azure: Azure, vaults: Iterable[Vault | None], hints: dict[str, Hint]) -> None:
    known = [vault for vault in vaults if vault is not None]
    answers = await together([hint_of(azure, vault) for vault in known])
    hints.update(zip((vault.scope for vault in known), answers, strict=True))


def _expectations(records: Records, caller: Caller) -> Expectations | None:
    if records.access is None or caller.object_id is None:
        return None
    return Expectations(records.access, caller.object_id.casefold(), datetime.fromisoformat(now()))


async def _wait(
    azure: Azure,
    tenant: str | None,
    vaults: Mapping[str, Vault | None],
    probed: dict[str, Probed],
    expectations: Expectations,
    wait: float,
    voice: Voice,
) -> int:
    """Probes those vaults again that do not agree yet, with growing pauses, and takes the newest answers. Rounds in all."""
    loop = asyncio.get_running_loop()
    ends, pause, rounds = loop.time() + wait, FIRST_PAUSE, 1
    while True:
        open_ones = [host for host, vault in vaults.items() if vault and _is_open(probed[host], vault, expectations)]
        left = ends - loop.time()
        if not open_ones or left <= 0:
            return rounds
        if not voice.quiet:
            console_for("stderr", voice).print(
                f"{len(open_ones)} of {len(vaults)} vaults do not agree with the records yet; asking again in "
                f"{min(pause, left):.0f} s, {left:.0f} s left",
                soft_wrap=True,
            )
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
        await _probe(azure, open_ones, tenant, probed)
        rounds += 1


def _is_open(probed: Probed, vault: Vault, expectations: Expectations) -> bool:
    """Whether waiting may bring what the records say."""
    state = probed.reach.state
    if state is not State.REACHABLE and state not in TRANSIENT:
        return False
    for found in probed:
        compared = expectations.compare(found, vault, state)
        stopped = found.outcome is Outcome.NOT_PROBED and compared.expected is Answer.ALLOWED
        if compared.agreement is Agreement.DIFFERS or stopped:
            return True
    return False


def _told(
    target: Target,
    vault: Vault | None,
    probed: Probed,
    hints: Mapping[str, Hint],
    expectations: Expectations | None,
    canary: CanaryResult | None,
) -> ProbedVault:
    every = (*probed, *(canary.found if canary else ()))
    if vault is None or expectations is None:
        compared = tuple(Compared(item, None, Agreement.NOT_COMPARED) for item in every)
        hint = Hint(None, "the vault's resource ID is not known")
        return ProbedVault(target, vault, probed, compared, hint, canary=canary)
    hint = hints.get(vault.scope, Hint(None))
    return ProbedVault(
        target,
        vault,
        probed,
        tuple(expectations.compare(item, vault, probed.reach.state, hint.words) for item in every),
        hint,
        expectations.answers(vault),
        canary,
    )
