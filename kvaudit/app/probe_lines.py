"""A run of probes as JSON, as rows and as lines. Texts of the tenant stand in them as they are: the output escapes them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kvaudit.app.probing import ProbedVault, ProbeRun
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operations
from kvaudit.probe.canary import CanaryResult
from kvaudit.probe.catalogue import not_probed
from kvaudit.probe.differences import Agreement, Compared
from kvaudit.probe.results import Found, Outcome, State

_LIMITS = "a read was tried for a name that cannot exist: it says nothing of grants on single objects and of conditions on names"


def probe_json(run: ProbeRun) -> dict[str, Any]:
    """The JSON of `probe -o json`."""
    access = run.records.access
    return {
        "identity": {
            "object_id": run.caller.object_id,
            "app_id": run.caller.app_id,
            "tenant_id": run.caller.tenant_id,
            "name": run.caller.name,
        },
        "records": {
            "source": run.records.source,
            "collected_at": access.estate.collected_at if access else None,
            "notes": list(run.records.notes),
        },
        "rounds": run.rounds,
        "vaults": [_vault_json(item) for item in run.vaults],
        "notes": [_LIMITS],
    }


def _vault_json(item: ProbedVault) -> dict[str, Any]:
    reach = item.probed.reach
    return {
        "vault": item.target.name,
        "vault_id": item.vault.id if item.vault else item.target.vault_id,
        "host": item.target.host,
        "reachability": {
            "state": reach.state.value,
            "because": reach.because,
            "tenant_id": reach.tenant_id,
            "client_address": reach.client_address,
            "steps": [{"step": step.name, "result": step.result, "detail": step.detail} for step in reach.steps],
        },
        "operations": [_operation_json(item, word) for word in (one.word for one in operations())],
        "calls": [_call_json(one) for one in item.probed],
        "canary": _canary_json(item.canary),
        "arm_permissions": {"known": item.hint.words is not None, "because": item.hint.because or None},
    }


def _call_json(found: Found) -> dict[str, Any]:
    return {
        "call": found.call,
        "request": found.shown,
        "operation": found.word,
        "decides": found.decides,
        "outcome": found.outcome.value,
        "because": found.because,
        "status": found.status,
        "code": found.code,
    }


def _canary_json(canary: CanaryResult | None) -> dict[str, Any] | None:
    if canary is None:
        return None
    return {
        "name": canary.name,
        "because": canary.because or None,
        "removal": canary.command,
        "leftovers": list(canary.leftovers),
    }


def _operation_json(item: ProbedVault, word: str) -> dict[str, Any]:
    compared = next((one for one in item.compared if one.found.word == word and one.found.decides), None)
    expected = item.expected.get(word)
    words = item.hint.words
    shape: dict[str, Any] = {
        "operation": word,
        "outcome": Outcome.NOT_PROBED.value,
        "because": not_probed().get(word),
        "status": None,
        "code": None,
        "expected": expected.value if expected else None,
        "arm_permissions": word in words if words is not None else None,
        "agreement": Agreement.NOT_COMPARED.value,
        "differences": [],
    }
    if compared is None:
        return shape
    found = compared.found
    return shape | {
        "outcome": found.outcome.value,
        "because": found.because,
        "status": found.status,
        "code": found.code,
        "agreement": compared.agreement.value,
        "differences": [{"reason": one.reason.value, "because": one.because} for one in compared.differences],
    }


def probe_rows(run: ProbeRun) -> list[dict[str, Any]]:
    """The rows of `-o tsv`: vault, state, operation, outcome, what the records say, agreement, reasons."""
    return [
        {
            "vault": item.target.name,
            "reachability": item.probed.reach.state.value,
            "operation": one.found.word,
            "outcome": one.found.outcome.value,
            "expected": one.expected.value if one.expected else None,
            "agreement": one.agreement.value,
            "differences": ",".join(dict.fromkeys(reason.reason.value for reason in one.differences)),
        }
        for item in run.vaults
        for one in item.compared
        if one.found.decides
    ]


def probe_lines(run: ProbeRun) -> Iterator[str]:
    """The text output."""
    caller = run.caller
    who = caller.name or caller.app_id or "unknown"
    yield f"identity: {who}, object ID {caller.object_id or 'unknown'}, tenant {caller.tenant_id or 'unknown'}"
    if run.records.source == "snapshot" and run.records.access:
        yield f"records: snapshot of {run.records.access.estate.collected_at or 'an unknown time'}"
    yield from run.records.notes
    for item in run.vaults:
        yield ""
        yield from _vault_lines(item, with_records=run.records.access is not None)
    yield ""
    yield (
        f"not probed: {len(not_probed())} other operations, whose calls write, use an object, or answer something that is not "
        "established; -o json says which and why"
    )
    yield f"note: {_LIMITS}"


_MOST_VAULTS = 20
"""Vaults of which `scan --probe` prints what differs; `probe.json` holds all."""


def probe_summary(run: ProbeRun) -> Iterator[str]:
    """What `scan --probe` prints: counts, and each vault that says something else than the records."""
    who = run.caller.name or run.caller.app_id or run.caller.object_id or "an unknown identity"
    reached = sum(item.probed.reach.state is State.REACHABLE for item in run.vaults)
    differing = [item for item in run.vaults if any(one.agreement is Agreement.DIFFERS for one in item.compared)]
    answers = [one.found for item in run.vaults for one in item.compared if one.found.decides]
    silent = sum(one.outcome is Outcome.NOT_PROBED for one in answers)
    yield f"probe as {who}: {reached} of {len(run.vaults)} vaults reached, {len(answers) - silent} operations answered, {silent} not"
    states = Counter(item.probed.reach.state for item in run.vaults if item.probed.reach.state is not State.REACHABLE)
    for state, count in sorted(states.items()):
        yield f"  {state.value.replace('_', ' ')}: {count} vault{'' if count == 1 else 's'}"
    if not differing:
        yield "  nothing that was answered differs from the records"
    for item in differing[:_MOST_VAULTS]:
        yield f"  {item.target.name} differs from the records:"
        for one in item.compared:
            if one.agreement is Agreement.DIFFERS:
                yield from (f"  {line}" for line in _compared_lines(item, one))
        yield from (f"  {line}" for line in _reason_lines(item.compared))
    if len(differing) > _MOST_VAULTS:
        yield f"  and {len(differing) - _MOST_VAULTS} vaults more"


def _vault_lines(item: ProbedVault, *, with_records: bool) -> Iterator[str]:
    reach = item.probed.reach
    yield f"{item.target.name}: {reach.state.value.replace('_', ' ')}"
    if reach.state is not State.REACHABLE:
        yield f"  {reach.because}"
    elif reach.client_address:
        yield f"  seen from {reach.client_address}"
    for step in reach.steps:
        if step.result == "failed" or step.name in ("dns", "challenge"):
            yield f"  {step.name}: {step.result}, {step.detail}"
    if with_records and item.vault is None:
        yield "  the records do not hold this vault: it is not in what was read"
    if item.hint.words is None and item.vault is not None:
        yield f"  Resource Manager's list of permissions: none, {item.hint.because}"
    if any(found.outcome is not Outcome.NOT_PROBED for found in item.probed) or reach.state is State.REACHABLE:
        for one in item.compared:
            if one.found.decides:
                yield from _compared_lines(item, one)
        yield from _reason_lines(item.compared)
        yield from _beside_lines(item)
    else:
        yield from _unprobed_lines(item)
    for name in item.canary.leftovers if item.canary is not None else ():
        yield f"  a canary of an earlier run was taken away: {name}"
    if item.canary is not None and item.canary.because:
        yield f"  {item.canary.because}"
    if item.canary is not None and item.canary.command:
        yield "  the canary is still there; remove it with:"
        yield f"    {item.canary.command}"


def _unprobed_lines(item: ProbedVault) -> Iterator[str]:
    """A vault that no operation was asked of: what the records say of it, in a line for each answer."""
    yield "  no operation was probed"
    by_answer: dict[Answer, list[str]] = {}
    for one in item.compared:
        if one.found.decides and one.expected is not None:
            by_answer.setdefault(one.expected, []).append(one.found.word)
    for answer, words in sorted(by_answer.items()):
        yield f"  records: {answer.value} {', '.join(words)}"


def _beside_lines(item: ProbedVault) -> Iterator[str]:
    """Calls that need the permission of an operation above and were answered otherwise."""
    verdicts = {found.word: found.outcome for found in item.probed if found.decides}
    for found in item.probed:
        if not found.decides and found.outcome is not verdicts[found.word]:
            yield f"  {found.shown}: {found.outcome.value.replace('_', ' ')}, unlike {found.word} above"


def _compared_lines(item: ProbedVault, one: Compared) -> Iterator[str]:
    said = one.found.outcome.value.replace("_", " ")
    told = [f"  {one.found.word:<18}{said:<11}"]
    if one.expected is not None:
        told.append(f"records: {one.expected.value:<12}")
    if item.hint.words is not None:
        told.append(f"Resource Manager: {'allowed' if one.found.word in item.hint.words else 'not shown'}")
    line = " ".join(told).rstrip()
    if one.agreement is Agreement.DIFFERS:
        line += f"  DIFFERS ({one.found.because})"
    elif one.found.outcome is Outcome.NOT_PROBED:
        line += f"  ({one.found.because})"
    yield line


def _reason_lines(compared: Iterable[Compared]) -> Iterator[str]:
    """Why the vault and the records differ: each reason once, with the operations that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for one in compared:
        if one.expected is not Answer.UNKNOWN:
            for item in one.differences:
                about.setdefault((item.reason.value, item.because), []).append(one.found.word)
    for (reason, because), words in about.items():
        yield f"  {reason.replace('_', ' ')}: {because} ({', '.join(words)})"
