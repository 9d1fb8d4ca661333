"""A deployment role lets its holder take secrets into a template

The vault lets Azure Resource Manager read secrets for template deployments (`enabledForTemplateDeployment`), and somebody
who holds `Microsoft.KeyVault/vaults/deploy/action` on it may deploy a template that hands the secrets out.

## Why it matters

A deployment fetches the secret itself: its author needs no access policy and no data-plane role, and the firewall of the vault lets
Resource Manager through (route E9). Contributor and Key Vault Contributor hold the action, and so does a small
custom role that is made for deployments. The template can put the secret where its author reads it.

What the flag does on a vault that uses Azure RBAC is not established between Microsoft's pages, so there the verdict is
unknown while the flag is on.

## How to fix it

Turn the flag off where no template takes secrets from the vault: the command does it. Where templates need it, give the
action to the pipeline that deploys and to nobody else.

## References

- [Use Key Vault to pass secure parameters during deployment](https://learn.microsoft.com/azure/azure-resource-manager/templates/key-vault-parameter)
- [Provide access with Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
"""

from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.rules import az
from kvaudit.rules.judgement import Judgement, Rule, Severity, failed, passed
from kvaudit.rules.routes import Cite, certain, opened, unless_held
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_WHAT = "can take secrets into a template"


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault whose flag for template deployment is on while somebody may deploy from it."""
    vault = subject.vault
    if not vault.enabled_for_template_deployment:
        return passed()
    found = opened(subject.routes("E9"))
    sure = certain(found)
    if not sure:
        return unless_held([(item.route.principal_id, item.route.answer) for item in found], _WHAT)
    people = len({item.route.principal_id for item in sure})
    return failed(
        f"{counted(people, 'principal')} can take secrets of the vault into a template deployment",
        found,
        Cite(subject),
        lambda _: [az.update_vault(vault, enabled_for_template_deployment="false")],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """Nothing to look for where the flag is off."""
    return None if counts.vault.enabled_for_template_deployment else passed()


RULE = Rule(
    id="template-deployment-secrets",
    title="A deployment role lets its holder take secrets into a template",
    severity=Severity.MEDIUM,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
)
