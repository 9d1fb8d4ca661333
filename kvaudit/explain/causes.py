"""Why a kind of error happens, the likeliest reason first, and what mends it."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import replace

from kvaudit.explain.control_plane import control_plane_fix
from kvaudit.explain.explanation import Cause, Kind
from kvaudit.explain.facts import Facts
from kvaudit.explain.fixes import grantee_of, policy_fix, role_fix
from kvaudit.explain.settings_fixes import enabling_fix, recovery_fix, template_deployment_fix
from kvaudit.remediation import Fix


def causes_of(kind: Kind, facts: Facts) -> tuple[Cause, ...]:
    """Causes of a kind, from the words of the error alone."""
    maker = _CAUSES.get(kind)
    return maker(facts) if maker else ()


_MANAGEMENT_PLANE = "keyvault/managementplane"


def _missing_role(facts: Facts) -> tuple[Cause, ...]:
    if (facts.caller.name or "").casefold() == _MANAGEMENT_PLANE:
        return (
            Cause(
                "the one that was refused is Key Vault's own management plane, not you: no grant to it helps",
                "Resource Manager asked the vault for a key; this was seen for keys that could not be read, also on vaults with "
                "access policies. Make or read the key through the vault itself",
            ),
        )
    fix = role_fix(grantee_of(facts), facts.word) if facts.word else None
    what = facts.word or facts.action or "this operation"
    found = [
        Cause(
            f"no role assignment gives the caller {what} on this vault",
            "the service found no assignment: the role may be missing, or stand at another vault, group or subscription"
            if facts.assignment is None
            else f"the service names assignment {facts.assignment}, which does not give it: look at its condition",
            fix,
        ),
        Cause(
            "the role was assigned a moment ago",
            "changes take up to 10 minutes, at management groups hours; the text is the same as for a missing role",
        ),
        Cause(
            "the caller got access through a group that it joined after its token was issued",
            "a token keeps its groups for 60 to 90 minutes, a managed identity's for up to 24 hours",
        ),
        Cause(
            "the assignment has a condition that this call does not meet",
            "the text is the same as for a missing role: `kvaudit explain --from DIR` tells",
        ),
    ]
    if facts.word == "secrets/get":
        found.append(
            Cause(
                "the tool reads before it writes, or a certificate's private key is read as a secret",
                "Terraform reads a secret before it sets one; a certificate is exported as the secret of the same name",
            )
        )
    return tuple(found)


_ON_BEHALF = Cause(
    "the entry names an application beside the user",
    "such an entry counts only while that application acts for that user (on behalf of): leave applicationId empty for a "
    "caller that acts for itself",
)


def _missing_policy(facts: Facts) -> tuple[Cause, ...]:
    if facts.has(r"to use on-behalf-of"):
        return (_ON_BEHALF,)
    word = facts.word
    fix = policy_fix(grantee_of(facts), word) if word else None
    found = [
        Cause(
            f"no access policy gives the caller {word or 'this operation'}",
            "the vault uses access policies, and the service names the permission that is missing. set-policy replaces the "
            "permissions of the kinds that it names: add those that the entry has already",
            fix,
        )
    ]
    if word and word.endswith("/purge"):
        found.append(
            Cause(
                "`all` does not include purge",
                "an entry with all permissions lacks purge: it must be named, and only where it is needed",
            )
        )
    if word == "keys/get":
        found.append(
            Cause(
                "the client library fetches the key before it uses it",
                "crypto clients need keys/get beside the operation",
            )
        )
    if word and word.startswith("certificates/"):
        found.append(
            Cause(
                "a certificate with its private key is read as a secret",
                "exporting needs secrets/get for the same name too",
            )
        )
    if facts.caller.app_id and not facts.caller.object_id:
        found.append(Cause("the entry names another object", "the error names an application without its object ID"))
    found += [
        Cause(
            "the entry names the application registration, not its service principal",
            "the two have different object IDs; an entry for the registration grants nothing and shows as unknown",
        ),
        _ON_BEHALF,
    ]
    return tuple(found)


def _deny(facts: Facts) -> tuple[Cause, ...]:
    named = facts.deny_assignment or "a deny assignment"
    return (
        Cause(
            "a deny assignment takes the operation away",
            f"the service names {named}: no role helps while it stands. Deployment stacks and managed applications make them; "
            "the principal can be excluded from it by whoever manages it",
        ),
    )


def _firewall(facts: Facts) -> tuple[Cause, ...]:
    address = f" ({facts.caller.address})" if facts.caller.address else ""
    return (
        Cause(
            f"the vault's firewall does not let the caller's address in{address}",
            "the identity was not looked at yet: a permission may be missing too",
            _network_fix(facts),
        ),
        Cause(
            "the caller is not one of the services that pass the firewall as trusted",
            "hosted build agents and code that runs in App Service, Functions, Container Apps or AKS are not",
        ),
        Cause(
            "the vault's name resolves to its public address",
            "a private endpoint works only where the private DNS zone is linked to the caller's network",
        ),
    )


_PRIVATE = tuple(ipaddress.ip_network(item) for item in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def _can_be_a_rule(address: str) -> bool:
    """Whether a rule can hold an address: rules take IPv4 only, and none of a private network (learn.microsoft.com, Key Vault, network security)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.version == 4 and not any(found in item for item in _PRIVATE)


def _network_fix(facts: Facts) -> Fix | None:
    address = facts.caller.address
    if not address or not facts.vault or not _can_be_a_rule(address):
        return None
    from kvaudit.remediation import quoting

    az = quoting.shell_command("az", "keyvault", "network-rule", "add", name=facts.vault, ip_address=address)
    note = "the address of a hosted agent or a home line changes: prefer a private endpoint, or an agent inside the network"
    return Fix(
        f"let {address} through the firewall of {facts.vault}",
        f"{az}\n# {note}",
        f"// add to networkAcls.ipRules of the vault: {{ value: {quoting.bicep(address)} }}\n// {note}\n",
        f"# add {quoting.hcl(address)} to ip_rules in network_acls of the vault\n# {note}\n",
    )


def _private_link(_: Facts) -> tuple[Cause, ...]:
    return (
        Cause(
            "public network access of the vault is disabled, and the call did not come through an approved private endpoint",
            "firewall rules and virtual network rules do not matter then; trusted services still pass",
        ),
        Cause(
            "the private endpoint exists and its connection is not approved, or its DNS zone is not linked",
            "the name then leads to the public address",
        ),
    )


def _tenant(facts: Facts) -> tuple[Cause, ...]:
    found, expected = facts.found_tenant, facts.expected_tenants
    because = (
        f"the token is of tenant {found}; the vault trusts {', '.join(expected) or 'another one'}"
        if found
        else "the service refuses the token's tenant"
    )
    return (
        Cause("the token is of a tenant that the vault does not trust", because),
        Cause(
            "the subscription was moved to another tenant and the vault still trusts the old one",
            "`az keyvault show` prints properties.tenantId: it must be the subscription's tenant",
        ),
    )


def _plain(*pairs: tuple[str, str]) -> Callable[[Facts], tuple[Cause, ...]]:
    made = tuple(Cause(cause, because) for cause, because in pairs)
    return lambda _: made


def _control_plane(facts: Facts) -> tuple[Cause, ...]:
    action = facts.action or "the action"
    scope = facts.resource or "this scope"
    return (
        Cause(
            f"no role gives the caller {action} at {scope}",
            "this is Resource Manager, not the vault: data roles and access policies do not help. A role with this action is "
            "needed at that scope, or the scope is wrong",
            control_plane_fix(facts),
        ),
        Cause(
            "the role was assigned a moment ago",
            "Resource Manager keeps a caller's rights for a few minutes: sign in again",
        ),
    )


def _soft_deleted(facts: Facts) -> tuple[Cause, ...]:
    if facts.has(r"vault with the same name|existing key vault"):
        return (
            Cause(
                "a soft-deleted vault holds the name",
                "recover it, or purge it where purge protection is off; otherwise the name is free when retention ends",
                recovery_fix(facts),
            ),
        )
    return (
        Cause(
            "a soft-deleted object holds the name",
            "recover it (then set a new version), or purge it; the name cannot be used until then",
            recovery_fix(facts),
        ),
    )


def _with_fix(
    causes: Callable[[Facts], tuple[Cause, ...]], fix: Callable[[Facts], Fix | None]
) -> Callable[[Facts], tuple[Cause, ...]]:
    """The causes, the first with its fix."""

    def made(facts: Facts) -> tuple[Cause, ...]:
        first, *rest = causes(facts)
        return replace(first, fix=fix(facts)), *rest

    return made


_CAUSES: Mapping[Kind, Callable[[Facts], tuple[Cause, ...]]] = {
    Kind.MISSING_ROLE: _missing_role,
    Kind.MISSING_POLICY: _missing_policy,
    Kind.DENY_ASSIGNMENT: _deny,
    Kind.FIREWALL: _firewall,
    Kind.PRIVATE_LINK: _private_link,
    Kind.TENANT: _tenant,
    Kind.CONTROL_PLANE_AUTHORIZATION: _control_plane,
    Kind.SOFT_DELETED: _soft_deleted,
    Kind.TOKEN_AUDIENCE: _plain(
        ("the token is for another service", "a vault takes tokens for https://vault.azure.net (or its cloud's like) only, Resource Manager its own"),
    ),
    Kind.STALE_TOKEN: _plain(
        ("the token has expired", "ask for a new one; a process that caches tokens itself must renew them"),
        ("the clock of the machine is wrong", "a token then looks expired, or not valid yet"),
    ),
    Kind.CLAIMS_CHALLENGE: _plain(
        ("Conditional Access asks for more than this sign-in gave", "multifactor authentication, a compliant device or a known place; an SDK client answers the challenge when its credential can ask the user"),
    ),
    Kind.WRONG_IDENTITY: _plain(
        ("the process did not sign in as the identity that you mean", "DefaultAzureCredential takes the first source that answers: set AZURE_CLIENT_ID for a user-assigned identity, or name one credential"),
    ),
    Kind.OBJECT_DISABLED: _with_fix(_plain(
        ("the object, or this version of it, is disabled, expired or not yet valid", "the caller is authorised: enable it or set a new version"),
    ), enabling_fix),
    Kind.KEY_OPERATION: _plain(
        ("the key itself does not allow this operation", "its list of allowed operations (key_ops) leaves it out: change the key, not the caller's rights"),
    ),
    Kind.AZURE_POLICY: _plain(
        ("Azure Policy refuses it", "the error names the policy assignment: change the request, or ask for an exemption; no role helps"),
    ),
    Kind.BEING_DELETED: _plain(
        ("a deletion or recovery of the same name is still running", "wait until it ends, then try again"),
    ),
    Kind.NAME_TAKEN: _plain(
        ("another vault has the name, in any tenant", "names are taken once in the whole cloud: choose another"),
        ("a soft-deleted vault holds the name", "`az keyvault list-deleted` shows your own; recover or purge it"),
    ),
    Kind.THROTTLED: _plain(
        ("too many requests were made in 10 seconds", "wait 1, 2, 4, 8, 16 seconds between tries; read a secret once and keep it"),
    ),
    Kind.MODEL_CHANGE_REFUSED: _plain(
        ("changing the permission model needs more than vaults/write", "the caller also needs Microsoft.Authorization/roleAssignments/write without a condition: Owner or User Access Administrator"),
    ),
    Kind.PRINCIPAL_NOT_FOUND: _plain(
        ("the principal was made a moment ago and is not known everywhere yet", "state principalType in the role assignment, or wait and try again"),
        ("the ID is the application registration's, or of another tenant", "a role assignment takes the object ID of the user, group or service principal"),
    ),
    Kind.ROLE_ASSIGNMENT_EXISTS: _plain(
        ("the same assignment exists under another name", "an assignment of the same principal, role and scope can exist once: import it, or make its name of all three with guid()"),
        ("the name of an existing assignment is used for another principal", "principal and role of an assignment cannot be changed: put the principal's ID into the name, and delete the old one"),
    ),
    Kind.LINKED_AUTHORIZATION: _plain(
        ("the caller lacks a right on a resource that the request refers to", "the error names the action and the linked scope: a subnet, a user-assigned identity, another group"),
    ),
    Kind.SCOPE_LOCKED: _plain(
        ("a lock stands on the resource, its group or subscription", "remove the lock, or leave what it protects alone; role assignments count as changes"),
    ),
    Kind.ASSIGNMENT_LIMIT: _plain(
        ("the subscription holds 4,000 role assignments, or the management group 500", "assign to groups, or higher up; remove assignments of deleted principals"),
    ),
    Kind.VAULT_NOT_FOUND: _plain(
        ("there is no vault of this name in this cloud, or it was purged", "its name does not resolve; a soft-deleted vault still does"),
        ("the name resolves in a private DNS zone only, which the caller's network is not linked to", "ask from inside the network"),
    ),
    Kind.OBJECT_NOT_FOUND: _plain(
        ("there is no object of this name", "the caller is authorised: the service says so only after it checked the permission"),
    ),
    Kind.TEMPLATE_ACCESS: _with_fix(_plain(
        ("Resource Manager itself fetches the secret and the vault does not let it", "set enabledForTemplateDeployment on the vault, and give the one who deploys Microsoft.KeyVault/vaults/deploy/action"),
        ("the firewall of the vault blocks Resource Manager", "let trusted services pass"),
        ("the secret or vault that the parameter refers to does not exist", "check the ID, the name and the version"),
    ), template_deployment_fix),
    Kind.POLICIES_REPLACED: _plain(
        ("a deployment of the vault replaced its whole list of access policies", "a template sends the list as it stands in the file, in incremental mode too: entries made elsewhere are gone. Declare all of them, add them through Microsoft.KeyVault/vaults/accessPolicies named add, or move to Azure RBAC"),
    ),
    Kind.PROPAGATION: _plain(
        ("the role was assigned a moment ago", "changes take up to 10 minutes, at management groups hours; there is no API that tells when it is done"),
        ("the token is older than the assignment", "a session that was open before keeps its token: sign in again"),
    ),
    Kind.WRONG_MODEL: _plain(
        ("the grant was made, or is looked for, in the permission model that the vault does not use", "some services add or check access policies only: on a vault with Azure RBAC assign the role by hand and ignore the check"),
    ),
    Kind.BAD_REQUEST: _plain(
        ("the request itself cannot be", "purge protection takes true or nothing; vault names have 3 to 24 letters, digits and hyphens, object names 1 to 127"),
    ),
}  # fmt: skip

NEXT_STEPS: Mapping[Kind, str] = {
    Kind.MISSING_ROLE: "Check with `kvaudit can CALLER OPERATION VAULT --from DIR`; assign the role if it is missing, else wait 10 minutes.",
    Kind.MISSING_POLICY: "Add the permission to the caller's entry, keeping those that it has.",
    Kind.WRONG_MODEL: "Grant in the model that the vault uses.",
    Kind.DENY_ASSIGNMENT: "Ask whoever manages the deny assignment to exclude the caller.",
    Kind.CONDITION: "Read the condition of the assignment: it decides which names the caller may read.",
    Kind.PROPAGATION: "Wait up to 10 minutes and try again with a new token.",
    Kind.FIREWALL: "Call from an allowed network, or allow the caller's address.",
    Kind.PRIVATE_LINK: "Call through the private endpoint, from a network that resolves its name to the private address.",
    Kind.TENANT: "Sign in to the tenant that the vault trusts.",
    Kind.TOKEN_AUDIENCE: "Ask for a token for the vault's own audience.",
    Kind.STALE_TOKEN: "Get a new token.",
    Kind.CLAIMS_CHALLENGE: "Sign in again interactively, or exempt the workload in Conditional Access.",
    Kind.WRONG_IDENTITY: "Find out who the process is: `az account show`, or log the credential that was chosen.",
    Kind.POLICIES_REPLACED: "Compare the template's list with what the workloads need: `kvaudit check CONTRACTS.yaml --from DIR --template PATH`.",
    Kind.UNKNOWN: "Paste the whole error, with its code and inner error, or the JSON body of the response.",
}
