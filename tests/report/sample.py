"""The estate that the report's tests show: small, and every kind of line in a report stands in it once."""

from builders import (
    OPEN_NETWORK,
    SUBSCRIPTION,
    assignment,
    eligible,
    estate,
    gap,
    group,
    guest,
    guid,
    orphan,
    policy,
    role,
    secret,
    user,
    vault,
    workload,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.identities import ApplicationPermission
from kvaudit.model.vaults import PermissionModelSource
from kvaudit.report.audit import Audit
from kvaudit.report.build import build_audit

WHEN = "2026-11-24T08:00:00Z"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "::error::owned",
    "x ###vso[task.setvariable variable=a]b",
    "\x1b[31mred\x07\x00",
    "abc\u202egpj.exe\u200b\ufeff",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "line\r\n::warning::two",
    "@SUM(1)",
    "\ttab",
)


def contoso() -> Estate:
    """Vaults on both models, gaps, people, guests, groups, workloads, an orphan, an eligible role."""
    anna, bert, gil = user("anna"), user("bert"), guest("gil")
    pay, batch, gone = workload("payments-api"), workload("batch"), orphan("gone")
    readers = group("secret-readers", anna, bert)
    operators = group("operators", is_read=False)
    app = vault("kv-app", tags={"team": "payments"})
    payments = vault("kv-payments", **OPEN_NETWORK)
    legacy = vault(
        "kv-legacy",
        policy(anna, secrets="all", keys="all"),
        policy(pay, secrets="get list"),
        policy(gone, secrets="get"),
        permission_model_source=PermissionModelSource.NULL,
        enable_purge_protection=None,
    )
    old = vault("kv-old", policy(gil, secrets="get"), permission_model_source=PermissionModelSource.ABSENT)
    custom = role("Contoso reader", data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",))
    return estate(
        *(anna, bert, gil, pay, batch, gone, readers, operators),
        *(app, payments, legacy, old, custom, secret(app, "db-password")),
        assignment("Key Vault Secrets User", readers, app),
        assignment("Key Vault Secrets User", pay, payments),
        assignment(custom, batch, f"{app.id}/secrets/db-password"),
        assignment("Key Vault Administrator", operators, SUBSCRIPTION),
        assignment("Contributor", bert, SUBSCRIPTION),
        assignment("Owner", anna, SUBSCRIPTION),
        eligible("Key Vault Secrets Officer", gil, payments),
        gap("group_members", f"groups/{operators.id}", permission="GroupMember.Read.All"),
        gap(
            "vaults",
            "/subscriptions/33333333-3333-3333-3333-333333333333",
            permission="Microsoft.KeyVault/vaults/read",
            asked_at="2026-11-24T07:59:00Z",
        ),
    )


def hostile() -> Estate:
    """Every name and tag that the tenant may choose holds something that wants to be obeyed."""
    people = [user(f"user {index}", display_name=text) for index, text in enumerate(HOSTILE)]
    vaults = [
        vault(f"kv-{index}", policy(people[index], secrets="get"), tags={text: text}, location=text)
        for index, text in enumerate(HOSTILE)
    ]
    strange = vault("kv-strange</script><script>alert(2)</script>")
    roles = [role(text, data_actions=("Microsoft.KeyVault/vaults/*",)) for text in HOSTILE]
    given = [assignment(item, people[0], strange, condition=item.role_name) for item in roles]
    gaps = [gap("role_assignments", f"/subscriptions/{text}", reason=text, permission=text) for text in HOSTILE]
    return estate(*people, *vaults, strange, *roles, *given, *gaps)


def one_record_in_two_ways() -> Estate:
    """An application that may add itself to any group: one vault is open to `web`, three to `ops`."""
    sync = workload("hr-sync")
    anna, bert = user("anna"), user("bert")
    web, ops = group("web", anna), group("ops", bert)
    vaults = [vault(f"kv-{number}") for number in range(4)]
    given = [assignment("Key Vault Secrets User", ops if number else web, place) for number, place in enumerate(vaults)]
    writes = ApplicationPermission(sync.id, guid("graph"), guid("Group.ReadWrite.All"), "Group.ReadWrite.All")
    return estate(*vaults, anna, bert, sync, web, ops, *given, writes)


def audit_of(what: Estate, **changes: str) -> Audit:
    """The audit of an estate at a fixed time and version."""
    scope = {"subscriptions": ("Applications",)}
    return build_audit(Access(what), tool_version="0.0.0", generated_at=WHEN, scope=scope, **changes)  # type: ignore[arg-type]
