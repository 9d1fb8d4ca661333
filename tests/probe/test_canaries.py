"""Canaries on the lab: what they find, and that nothing stays, however a run ends."""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from probing_the_lab import FAST, let_sign_in

from kvaudit.clients.azure import Azure
from kvaudit.clients.canary_names import PREFIX, CanaryNames
from kvaudit.clients.session import open_azure
from kvaudit.errors import OutputError
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.estate import StoredObject, StoredVersion, fold
from kvaudit.lab.evaluator import decide_data
from kvaudit.lab.faults import Fault
from kvaudit.model.clouds import clouds
from kvaudit.probe.canary import Canary, CanaryResult, removal
from kvaudit.probe.journal import Journal
from kvaudit.probe.leftovers import Leftovers, find_leftovers
from kvaudit.probe.probing import probe_vault
from kvaudit.probe.results import Outcome

ALL = ("set", "delete", "recover", "purge")
VERBS = ("set", "update", "delete", "recover", "purge")


def canary_lab(*words: str, **properties: Any) -> tuple[Lab, str]:
    """A lab whose auditor may do these things with secrets, by an access policy of one vault; and the vault's name."""
    estate = generate(1, Size(vaults=1))
    raw = next(iter(estate.vaults.values()))
    entry = {
        "tenantId": estate.home_tenant,
        "objectId": estate.identities["auditor"].object_id,
        "permissions": {"secrets": list(words)},
    }
    raw["properties"] |= {
        "tenantId": estate.home_tenant,
        "enableRbacAuthorization": False,
        "enablePurgeProtection": None,
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"defaultAction": "Allow"},
        "accessPolicies": [entry],
        **properties,
    }
    return start(estate), str(raw["name"])


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def with_azure(
    lab: Lab, names: CanaryNames, use: Callable[[Azure], Awaitable[CanaryResult]], *, identity: str = "auditor"
) -> CanaryResult:
    async def run() -> CanaryResult:
        environ = lab.environment(identity)
        async with open_azure(
            clouds()["public"], auth="client-secret", environ=environ, retries=FAST, canaries=names
        ) as azure:
            return await use(azure)

    return asyncio.run(run())


def interrupted(lab: Lab, vault: str, folder: Path, step: int, found: tuple[str, ...] = ()) -> None:
    """A run that is interrupted while the write of that step is under way: the request still reaches the vault."""
    names, host, tasks = CanaryNames(), f"{vault}.vault.azure.net", list[tuple[Any, Any]]()

    def interrupt(_: Any) -> None:
        loop, task = tasks[0]
        loop.call_soon_threadsafe(task.cancel)

    async def walk(azure: Azure) -> CanaryResult:
        await azure.sign_in()
        tasks.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await Canary(azure.probes, names, Journal(folder), host, vault, _at_once, found).walk()

    lab.world.faults.append(Fault(PREFIX, status=None, skip=step, times=1, delay=0.05, effect=interrupt))
    with pytest.raises(asyncio.CancelledError):
        with_azure(lab, names, walk)


def walked(
    lab: Lab, vault: str, folder: Path, found: tuple[str, ...] = (), *, identity: str = "auditor"
) -> CanaryResult:
    names = CanaryNames()
    host = f"{vault}.vault.azure.net"
    return with_azure(
        lab,
        names,
        lambda azure: Canary(azure.probes, names, Journal(folder), host, vault, _at_once, found).walk(),
        identity=identity,
    )


def plant(lab: Lab, name: str, *, deleted_at: int | None = None, at: int = 1_700_000_000) -> None:
    """Puts a canary of an earlier run into the lab's only vault."""
    raw = next(iter(lab.world.estate.vaults.values()))
    version = StoredVersion("a" * 32, created=at, updated=at, value="0")
    left = StoredObject(name, [version], deleted_at=deleted_at, purge_at=deleted_at)
    lab.world.estate.objects.setdefault(fold(raw["id"]), {}).setdefault("secrets", {})[name] = left


def canaries(lab: Lab) -> dict[str, StoredObject]:
    """The canaries in the lab's vaults, deleted ones too."""
    secrets = (kinds.get("secrets", {}) for kinds in lab.world.estate.objects.values())
    return {name: item for part in secrets for name, item in part.items() if name.startswith(PREFIX)}


def outcomes(result: CanaryResult) -> dict[str, Outcome]:
    return {item.word.removeprefix("secrets/"): item.outcome for item in result.found}


def test_a_canary_comes_and_goes_and_is_never_read(tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL, "get", "list")
    with lab:
        before = {key: dict(kinds.get("secrets", {})) for key, kinds in lab.world.estate.objects.items()}
        result = walked(lab, vault, tmp_path)
        after = {key: dict(kinds.get("secrets", {})) for key, kinds in lab.world.estate.objects.items()}
        sent = [entry for entry in lab.journal if entry.host.startswith(vault)]
    assert outcomes(result) == dict.fromkeys(VERBS, Outcome.ALLOWED)
    assert (result.command, result.because) == (None, "")
    assert after == before
    assert list(tmp_path.iterdir()) == []
    assert [entry.method for entry in sent] == ["PUT", "PATCH", "DELETE", "POST", "DELETE", "DELETE"]
    assert {part for entry in sent for part in entry.path.split("/") if "kvaudit" in part} == {result.name}
    value = json.loads(sent[0].body)["value"]
    assert value not in repr(result)


@pytest.mark.parametrize("step", range(6))
def test_interrupted_at_any_step_it_leaves_nothing(step: int, tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    with lab:
        interrupted(lab, vault, tmp_path, step)
        assert canaries(lab) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("status", [0, 500])
def test_a_call_that_is_lost_leaves_nothing(step: int, status: int, tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    with lab:
        lab.world.faults.append(Fault(PREFIX, status=status, skip=step, times=FAST.tries))
        result = walked(lab, vault, tmp_path)
        assert canaries(lab) == {} or result.command is not None
        if result.command is not None:  # told, noted, and taken away the next time
            assert walked(lab, vault, tmp_path).command is None
        assert canaries(lab) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("deleted_at", [None, 1_700_000_000, "gone"])
def test_what_a_killed_run_left_is_taken_up_again(deleted_at: Any, tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    name = f"{PREFIX}{'1' * 32}"
    Journal(tmp_path).write(f"{vault}.vault.azure.net", name)
    with lab:
        if deleted_at != "gone":
            plant(lab, name, deleted_at=deleted_at)
        result = walked(lab, vault, tmp_path)
        assert canaries(lab) == {}
    assert result.name == name
    assert outcomes(result) == dict.fromkeys(VERBS, Outcome.ALLOWED)
    assert list(tmp_path.iterdir()) == []


NAMES = tuple(f"{PREFIX}{digit * 32}" for digit in "1234")
LONG_AGO = 1_700_000_000


def looked_for(lab: Lab, vault: str) -> Leftovers:
    host, found = f"{vault}.vault.azure.net", []

    async def look(azure: Azure) -> CanaryResult:
        caller = await azure.sign_in()
        probed = await probe_vault(azure.probes, host, caller.tenant_id)
        found.append(await find_leftovers(azure, host, probed, lab.world.now().timestamp()))
        return CanaryResult(None)

    with_azure(lab, CanaryNames(), look)
    return found[0]


def test_what_another_machine_left_is_found_by_its_name_and_taken_away(tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL, "list")
    with lab:
        before = len(canaries(lab))
        plant(lab, NAMES[0], deleted_at=LONG_AGO)
        plant(lab, NAMES[1])
        plant(lab, NAMES[2])
        plant(lab, NAMES[3], at=int(lab.world.now().timestamp()) - 5)  # may be under way in another run
        plant(lab, f"{PREFIX}of-a-person")
        left = looked_for(lab, vault)
        assert (sorted(left.names), left.because) == (sorted(NAMES[:3]), "")
        result = walked(lab, vault, tmp_path, left.names)
        assert before == 0
        assert sorted(canaries(lab)) == sorted([NAMES[3], f"{PREFIX}of-a-person"])
    assert {result.name, *result.leftovers} == set(NAMES[:3])
    assert outcomes(result) == dict.fromkeys(VERBS, Outcome.ALLOWED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", range(3))
def test_interrupted_while_earlier_ones_are_taken_away_no_new_one_is_written(step: int, tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    with lab:
        plant(lab, NAMES[0])
        plant(lab, NAMES[1])
        interrupted(lab, vault, tmp_path, step, NAMES[:2])
        assert canaries(lab) == {}
        writes = [entry.method for entry in lab.journal if entry.host.startswith(vault)]
    assert "PUT" not in writes
    assert list(tmp_path.iterdir()) == []


def test_without_the_lists_that_is_told(tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    with lab:
        plant(lab, NAMES[0])
        left = looked_for(lab, vault)
    assert left.names == ()
    assert left.because == "the list of /secrets is not permitted; the list of /deletedsecrets is not permitted"


def test_an_earlier_canary_that_cannot_be_taken_away_stays_noted(tmp_path: Path) -> None:
    lab, vault = canary_lab("set", "delete")
    with lab:
        plant(lab, NAMES[0])
        plant(lab, NAMES[1])
        result = walked(lab, vault, tmp_path, NAMES[:2])
    assert result.leftovers == ()
    assert set(Journal(tmp_path).leftovers(f"{vault}.vault.azure.net")) == set(NAMES[:2])


def removed_by(lab: Lab, command: str) -> None:
    """Does what the command does: its words through the SDK, as somebody who may."""
    environ, who = lab.environment(), lab.world.estate.identities["auditor"]
    credential = ClientSecretCredential(who.tenant_id, who.app_id, who.client_secret, **_proxied(environ))
    for part in command.split("; "):
        az, keyvault, secret, verb, *options = shlex.split(part)
        given = dict(zip(options[::2], options[1::2], strict=True))
        assert (az, keyvault, secret, set(given)) == ("az", "keyvault", "secret", {"--vault-name", "--name"})
        url = f"https://{given['--vault-name']}.vault.azure.net"
        with SecretClient(url, credential, **_proxied(environ)) as client:
            if verb == "delete":
                with suppress(ResourceNotFoundError):  # a shell goes on after `;`
                    client.begin_delete_secret(given["--name"]).wait()
            else:
                client.purge_deleted_secret(given["--name"])


def _proxied(environ: dict[str, str]) -> dict[str, Any]:
    return {"proxies": {"https": environ["HTTPS_PROXY"]}, "connection_verify": environ["SSL_CERT_FILE"]}


@pytest.mark.parametrize("seed", [3, 11])
def test_its_verdicts_are_those_of_the_lab(seed: int, tmp_path: Path) -> None:
    """In generated estates, for people who may do some of it: every write that was answered, as the lab's evaluator decides."""
    estate = generate(seed, Size(assignments=60, policies=6, active=6, denies=4, roles=6))
    for raw in estate.vaults.values():
        raw["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
        raw["properties"]["enablePurgeProtection"] = None
    people = [let_sign_in(estate, item) for item in list(estate.service_principals)[:4]]
    seen: set[Outcome] = set()
    with start(estate) as lab:
        for who in people:
            caller = lab.world.caller_for(who, audience="https://vault.azure.net")
            for raw in list(estate.vaults.values()):
                if caller.tenant_id.casefold() != str(raw["properties"]["tenantId"]).casefold():
                    continue
                result = walked(lab, str(raw["name"]), tmp_path, identity=who)
                for found in result.found:
                    if found.outcome is not Outcome.NOT_PROBED:
                        decision = decide_data(lab.world, caller, found.word, raw, result.name)
                        assert (found.outcome is Outcome.ALLOWED) is decision.allowed, (who, found, decision)
                        seen.add(found.outcome)
                assert canaries(lab) == {} or result.command is not None
                for kinds in estate.objects.values():  # what could not be taken away is out of the next one's way
                    for name in [one for one in kinds.get("secrets", {}) if one.startswith(PREFIX)]:
                        del kinds["secrets"][name]
                for note in tmp_path.iterdir():
                    note.unlink()
    assert seen == {Outcome.ALLOWED, Outcome.DENIED}


def test_without_set_nothing_is_written(tmp_path: Path) -> None:
    lab, vault = canary_lab("delete", "recover", "purge")
    with lab:
        result = walked(lab, vault, tmp_path)
        assert canaries(lab) == {}
        assert [entry.method for entry in lab.journal if entry.host.startswith(vault)] == ["PUT"]
    assert outcomes(result) == {**dict.fromkeys(VERBS, Outcome.NOT_PROBED), "set": Outcome.DENIED}
    assert result.command is None
    assert list(tmp_path.iterdir()) == []


def test_without_recover_it_is_taken_away_all_the_same(tmp_path: Path) -> None:
    lab, vault = canary_lab("set", "delete", "purge")
    with lab:
        result = walked(lab, vault, tmp_path)
        assert canaries(lab) == {}
    assert outcomes(result) == {**dict.fromkeys(VERBS, Outcome.ALLOWED), "recover": Outcome.DENIED}


@pytest.mark.parametrize(
    ("words", "properties", "missing", "starts"),
    [
        (("set", "purge"), {}, "delete", "az keyvault secret delete"),
        (("set", "delete", "recover"), {}, "purge", "az keyvault secret purge"),
        (ALL, {"enablePurgeProtection": True}, "purge", "az keyvault secret purge"),
    ],
)
def test_what_cannot_be_taken_away_is_told_with_the_command(
    words: tuple[str, ...], properties: dict[str, Any], missing: str, starts: str, tmp_path: Path
) -> None:
    lab, vault = canary_lab(*words, **properties)
    with lab:
        result = walked(lab, vault, tmp_path)
        assert list(canaries(lab)) == [result.name]
        assert result.command is not None
        raw = next(iter(lab.world.estate.vaults.values()))
        raw["properties"]["enablePurgeProtection"] = None
        raw["properties"]["accessPolicies"][0]["permissions"]["secrets"] = ["get", *ALL]
        lab.world.changed()
        removed_by(lab, result.command)
        assert canaries(lab) == {}
    assert outcomes(result)[missing] is not Outcome.ALLOWED
    assert result.command.startswith(f"{starts} --vault-name {vault} --name {result.name}")
    assert Journal(tmp_path).leftovers(f"{vault}.vault.azure.net") == (result.name,)


def test_what_cannot_be_noted_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lab, vault = canary_lab(*ALL)
    with lab, pytest.raises(OutputError):
        walked(lab, vault, tmp_path / "file" / "folder")
    assert [entry for entry in lab.journal if entry.host.startswith(vault)] == []


@pytest.mark.parametrize("deleted_at", [None, 1_700_000_000])
def test_the_command_removes_it_whether_it_is_deleted_already_or_not(deleted_at: int | None) -> None:
    """A killed run knows its name, and not how far it came."""
    lab, vault = canary_lab("get", *ALL)
    with lab:
        plant(lab, NAMES[0], deleted_at=deleted_at)
        removed_by(lab, removal(vault, NAMES[0]))
        assert canaries(lab) == {}


def test_one_that_was_made_is_not_called_gone_because_the_vault_does_not_find_it(tmp_path: Path) -> None:
    lab, vault = canary_lab(*ALL)
    with lab:
        missing = {"error": {"code": "SecretNotFound", "message": "Not found."}}
        lab.world.faults.append(Fault(f"{PREFIX}[0-9a-f]*$", status=404, body=missing, skip=1))
        result = walked(lab, vault, tmp_path)
        assert list(canaries(lab)) == [result.name]
    assert result.command is not None
    assert Journal(tmp_path).leftovers(f"{vault}.vault.azure.net") == (result.name,)
