"""The same answer of a service as SDKs, tools and logs print it. Names and layouts are those of the libraries' own errors."""

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

VAULT_ID = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-contoso"


@dataclass(frozen=True)
class Answer:
    """An answer of Key Vault or of Resource Manager."""

    status: int
    code: str
    message: str
    inner: str | None = None

    @property
    def body(self) -> str:
        error: dict[str, object] = {"code": self.code, "message": self.message}
        return json.dumps({"error": error | ({"innererror": {"code": self.inner}} if self.inner else {})})


def _python(it: Answer) -> str:
    inner = f'\nInner error: {{\n    "code": "{it.inner}"\n}}' if it.inner else ""
    return (
        'Traceback (most recent call last):\n  File "app.py", line 7, in <module>\n    secret = client.get_secret("db")\n'
        f"azure.core.exceptions.HttpResponseError: ({it.code}) {it.message}\nCode: {it.code}\nMessage: {it.message}{inner}"
    )


def _dotnet(it: Answer) -> str:
    return (
        f"Unhandled exception. Azure.RequestFailedException: {it.message}\nStatus: {it.status} (Error)\n"
        f"ErrorCode: {it.code}\n\nContent:\n{it.body}\n\nHeaders:\nCache-Control: no-cache\nStrict-Transport-Security: REDACTED\n"
        "   at Azure.Security.KeyVault.KeyVaultPipeline.SendRequest(Request request, CancellationToken cancellationToken)"
    )


def _java(it: Answer) -> str:
    return (
        f'com.azure.core.exception.HttpResponseException: Status code {it.status}, "{it.body}"\n'
        "\tat java.base/java.lang.invoke.MethodHandle.invokeWithArguments(MethodHandle.java:732)\n"
        "Caused by: reactor.core.Exceptions$ReactiveException"
    )


def _javascript(it: Answer) -> str:
    quoted = json.dumps(it.message)
    return (
        f"RestError: {it.message}\n    at handleErrorResponse (/app/node_modules/@azure/core-client/dist/index.js:1310:19)\n"
        f"    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {{\n  code: '{it.code}',\n"
        f"  statusCode: {it.status},\n  details: {{\n    error: {{\n      code: '{it.code}',\n      message: {quoted},\n"
        f"      innererror: {{ code: '{it.inner or ''}' }}\n    }}\n  }}\n}}"
    )


def _go(it: Answer) -> str:
    line = "-" * 80
    return (
        f"GET https://kv-contoso.vault.azure.net/secrets/db/\n{line}\nRESPONSE {it.status}: {it.status} Error\n"
        f"ERROR CODE: {it.code}\n{line}\n{json.dumps(json.loads(it.body), indent=2)}\n{line}"
    )


def _az(it: Answer) -> str:
    inner = f'\nInner error: {{\n    "code": "{it.inner}"\n}}' if it.inner else ""
    return f"ERROR: ({it.code}) {it.message}\nCode: {it.code}\nMessage: {it.message}{inner}"


def _terraform(it: Answer) -> str:
    text = (
        f'Error: checking for presence of existing Secret "db" (Key Vault "https://kv-contoso.vault.azure.net/"): '
        f"keyvault.BaseClient#GetSecret: Failure responding to request: StatusCode={it.status} -- Original Error: "
        f'autorest/azure: Service returned an error. Status={it.status} Code="{it.code}" Message={json.dumps(it.message)}'
        + (f' InnerError={{"code":"{it.inner}"}}' if it.inner else "")
    )
    return f"╷\n│ {text}\n│ \n│   with azurerm_key_vault_secret.db,\n│   on main.tf line 12, in resource:\n╵"


def _deployment(it: Answer) -> str:
    failed = "At least one resource deployment operation failed. Please list deployment operations for details."
    details = [{"code": it.code, "message": json.dumps(json.loads(it.body), indent=2).replace("\n", "\r\n")}]
    return json.dumps(
        {"status": "Failed", "error": {"code": "DeploymentFailed", "message": failed, "details": details}}
    )


def _diagnostics(it: Answer) -> str:
    row = {
        "TimeGenerated": "2026-11-24T08:00:00Z",
        "Category": "AuditEvent",
        "OperationName": "SecretGet",
        "ResultType": "Failed",
        "ResultDescription": it.message,
        "httpStatusCode_d": str(it.status),
        "_ResourceId": VAULT_ID,
        "CallerIPAddress": "203.0.113.7",
    }
    return json.dumps([row])


def _wrapped(text: str, before: str) -> str:
    """As a terminal breaks it."""
    lines = textwrap.wrap(text, 62, break_long_words=False, break_on_hyphens=False, replace_whitespace=True)
    return "\n".join(f"{before}{line}" for line in lines)


FORMS: dict[str, Callable[[Answer], str]] = {
    "json": lambda it: it.body,
    "json in a line of a log": lambda it: f"2026-11-24 08:00:00 ERROR app: {json.dumps({'log': it.body})}",
    "python": _python,
    "dotnet": _dotnet,
    "java": _java,
    "javascript": _javascript,
    "go": _go,
    "az": _az,
    "terraform": _terraform,
    "terraform, wrapped": lambda it: f"╷\n{_wrapped(_terraform(it).replace('│', ''), '│ ')}\n╵",
    "az, wrapped": lambda it: _wrapped(_az(it), ""),
    "deployment": _deployment,
    "azurediagnostics": _diagnostics,
}
