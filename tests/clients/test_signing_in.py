"""Signing in: every `--auth` choice, one token request at a time, and errors that say what to do and quote nothing."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from hypothesis import given
from hypothesis import strategies as st
from reading_the_lab import FAST, PUBLIC, VAULTS, items_of, reading

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.session import open_azure
from kvaudit.clients.sign_in_errors import credential_error
from kvaudit.clients.tokens import Caller, caller_of, claims_of
from kvaudit.errors import CredentialError, ExitCode, KvauditError, UsageError
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import DROPPED, Fault
from kvaudit.model.clouds import AUTHS

TENANT = "11111111-1111-1111-1111-111111111111"


async def sign_in(azure: Azure) -> Caller:
    return await azure.sign_in()


async def vaults(azure: Azure) -> list[Any]:
    return await items_of(azure.arm_pages(VAULTS, api_version="2026-02-01"))


def token_requests(lab: Lab) -> int:
    return sum(entry.path.endswith("/oauth2/v2.0/token") for entry in lab.journal)


def test_the_token_says_who_asks(contoso: Lab) -> None:
    caller = reading(contoso, sign_in)
    assert caller.tenant_id == TENANT
    assert caller.app_id == contoso.environment("auditor")["AZURE_CLIENT_ID"]
    assert caller.object_id is not None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"AZURE_CLIENT_SECRET": "wrong-secret-wrong-secret"}, ("AADSTS7000215", "AZURE_CLIENT_SECRET")),
        ({"AZURE_CLIENT_ID": "77777777-7777-7777-7777-000000000999"}, ("AADSTS700016", "AZURE_CLIENT_ID")),
        ({"AZURE_TENANT_ID": "99999999-9999-9999-9999-999999999999"}, ("AADSTS90002", "--tenant")),
    ],
)
def test_a_refused_sign_in_says_what_to_change_and_quotes_no_secret(
    contoso: Lab, changed: dict[str, str], says: tuple[str, str]
) -> None:
    with pytest.raises(CredentialError) as caught:
        reading(contoso, sign_in, changed=changed)
    problem = caught.value
    assert problem.exit_code is ExitCode.USAGE
    assert says[0] in problem.message
    assert says[1] in (problem.hint or "")
    secret = changed.get("AZURE_CLIENT_SECRET", contoso.environment("auditor")["AZURE_CLIENT_SECRET"])
    assert secret not in f"{problem.message}{problem.hint}{problem.details}"
    assert problem.__cause__ is None, "the service's own text, which may quote what was sent, is not chained"


@given(st.text(), st.sampled_from(AUTHS), st.none() | st.just(TENANT))
def test_whatever_a_credential_says_is_not_repeated(words: str, auth: str, tenant: str | None) -> None:
    secret = "kvaudit-planted-8d1f"
    for kind in (ClientAuthenticationError, CredentialUnavailableError):
        problem = credential_error(kind(message=f"{words} {secret} AADSTS7000222 {words}"), auth=auth, tenant=tenant)
        assert secret not in f"{problem.message}{problem.hint}{problem.details}"
        assert problem.hint


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ("client-secret", ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")),
        ("certificate", ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")),
        ("workload-identity", ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")),
    ],
)
def test_everything_that_is_not_set_is_named_at_once(auth: str, missing: tuple[str, ...]) -> None:
    async def run() -> None:
        async with open_azure(PUBLIC, auth=auth, environ={}):
            pytest.fail("nothing was set")

    with pytest.raises(CredentialError) as caught:
        asyncio.run(run())
    assert all(name in caught.value.message for name in missing)


@pytest.mark.parametrize("auth", ["default", "cli", "managed-identity", "browser", "device-code"])
def test_the_other_choices_open_without_asking_anything(auth: str) -> None:
    async def run() -> None:
        async with open_azure(PUBLIC, auth=auth, tenant=TENANT, environ={}) as azure:
            assert azure.statistics.requests == 0

    asyncio.run(run())


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("-----BEGIN PRIVATE KEY-----\nkvaudit-planted\n")
    environ = {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": "77777777-7777-7777-7777-000000000001",
        "AZURE_CLIENT_CERTIFICATE_PATH": str(tmp_path / "broken.pem"),
    }

    async def run() -> None:
        async with open_azure(PUBLIC, auth="certificate", environ=environ):
            pytest.fail("that is no certificate")

    with pytest.raises(CredentialError) as caught:
        asyncio.run(run())
    assert "broken.pem" in caught.value.message
    assert "planted" not in caught.value.message


def test_a_credential_of_another_tenant_than_the_one_asked_for_is_refused(contoso: Lab) -> None:
    other = "22222222-2222-2222-2222-222222222222"

    async def run() -> None:
        environ = contoso.environment("auditor")
        async with open_azure(PUBLIC, auth="client-secret", tenant=other, environ=environ, retries=FAST) as azure:
            await azure.sign_in()

    with pytest.raises(CredentialError):
        asyncio.run(run())


def test_a_ca_bundle_that_is_not_there_is_told() -> None:
    async def run() -> None:
        async with open_azure(PUBLIC, auth="cli", environ={"SSL_CERT_FILE": "/nowhere/ca.pem"}):
            pytest.fail("there is no such file")

    with pytest.raises(UsageError) as caught:
        asyncio.run(run())
    assert "/nowhere/ca.pem" in caught.value.message


def test_a_sign_in_that_cannot_be_reached_is_an_outage_and_not_a_credential() -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path="login.microsoftonline.com", status=DROPPED))
        with pytest.raises(KvauditError) as caught:
            reading(lab, sign_in)
    assert caught.value.exit_code is ExitCode.FAILED
    assert "login.microsoftonline.com" in caught.value.message


def test_fifty_reads_at_once_ask_for_one_token_per_audience() -> None:
    async def read(azure: Azure) -> None:
        await asyncio.gather(
            *(vaults(azure) for _ in range(25)),
            *(items_of(azure.graph_pages("/v1.0/servicePrincipals")) for _ in range(25)),
        )

    with start("contoso") as lab:
        reading(lab, read)
        assert token_requests(lab) == 2


def test_a_refusal_is_asked_for_once() -> None:
    async def read(azure: Azure) -> list[Any]:
        return list(await asyncio.gather(*(vaults(azure) for _ in range(10)), return_exceptions=True))

    with start("contoso") as lab:
        answers = reading(lab, read, changed={"AZURE_CLIENT_SECRET": "wrong"})
        assert all(isinstance(answer, ReadFailure) and answer.code == "NoToken" for answer in answers)
        assert token_requests(lab) == 1


def test_a_token_that_ends_early_is_renewed_once_for_all_who_held_it() -> None:
    async def read(azure: Azure) -> tuple[int, int]:
        first = await vaults(azure)
        lab.world.advance(timedelta(hours=2))
        later = await asyncio.gather(*(vaults(azure) for _ in range(10)))
        assert all(len(items) == len(first) for items in later)
        return len(first), azure.statistics.of("arm").retries

    with start("contoso") as lab:
        assert reading(lab, read)[0] > 0
        assert token_requests(lab) == 2


def test_a_vault_of_another_tenant_costs_no_second_token() -> None:
    async def read(azure: Azure) -> None:
        for _ in range(3):
            with pytest.raises(ReadFailure) as caught:
                await items_of(
                    azure.vault_pages("https://kv-fabrikam-joint.vault.azure.net/", "/secrets", api_version="7.5")
                )
            assert caught.value.status == 401

    with start("contoso") as lab:
        reading(lab, read)
        assert token_requests(lab) == 1


def test_no_log_at_any_level_holds_a_token_a_secret_or_a_body(contoso: Lab, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def read(azure: Azure) -> None:
        await azure.sign_in()
        seen.append(await azure._tokens.get(PUBLIC.arm_audience))
        await vaults(azure)
        await items_of(azure.graph_pages("/v1.0/servicePrincipals"))

    with caplog.at_level(logging.DEBUG):
        reading(contoso, read)
        with pytest.raises(CredentialError):
            reading(contoso, sign_in, changed={"AZURE_CLIENT_SECRET": "wrong-secret-wrong-secret"})
    written = "\n".join(record.getMessage() for record in caplog.records)
    assert "management.azure.com/subscriptions" in written, "requests are logged"
    for secret in (
        *seen,
        contoso.environment("auditor")["AZURE_CLIENT_SECRET"],
        "wrong-secret-wrong-secret",
        "Bearer ",
    ):
        assert secret not in written
    assert "kv-payments-prod" not in written, "no body"


@given(st.text())
def test_a_token_of_any_shape_and_a_challenge_of_any_shape_are_borne(text: str) -> None:
    assert caller_of(text).tenant_id is None
    claims_of(text)
    claims_of(f'Bearer error="insufficient_claims", claims="{text}"')


def test_claims_of_a_challenge() -> None:
    assert claims_of('Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="') == '{"a":1}'
    assert claims_of('Bearer error="invalid_token"') is None
    assert claims_of(None) is None
