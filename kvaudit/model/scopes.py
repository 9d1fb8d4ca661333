"""Scopes: resource IDs as places in Azure's hierarchy.

A scope is compared in its folded form: small letters, no trailing slash, `/` for the root. Matching is on
segment boundaries, so `/subscriptions/s/resourceGroups/rg1` does not cover `.../rg10`.
Source: ARCHITECTURE.md "Access semantics" 5; facts azure.md 2.1.
"""

ROOT = "/"
MANAGEMENT_GROUP_PREFIX = "/providers/microsoft.management/managementgroups/"
SUBSCRIPTION_PREFIX = "/subscriptions/"
SLASHES_IN_VAULT = 8
"""In the ID of a vault; in that of anything in it there are more."""


def fold(scope: str) -> str:
    """The form in which scopes are compared: letters small, without trailing slashes; the root is `/`."""
    return fold_name(scope.strip()).rstrip("/") or ROOT


def fold_name(name: str) -> str:
    """The form in which names are compared: letter by letter, case aside.

    Resource Manager matches IDs without regard to case, letter by letter (.NET's OrdinalIgnoreCase), and names of resource
    groups may hold letters of any script. `str.casefold` would make one of `rg-strasse` and `rg-straße`, which are two
    groups: a letter is never replaced by several, and none outside ASCII becomes one inside.
    """
    return name.lower() if name.isascii() else "".join(map(_fold_letter, name))


def _fold_letter(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    large = letter.upper()
    if len(large) != 1 or large.isascii():
        return letter
    small = large.lower()
    return small if len(small) == 1 and small.upper() == large else large


def is_within(scope: str, ancestor: str) -> bool:
    """Whether folded `scope` is folded `ancestor` or lies below it by its path alone.

    Management groups are not part of a subscription's path: their tree is in the estate
    (`Estate.management_group_chain`). The root covers everything.
    """
    return ancestor == ROOT or scope == ancestor or scope.startswith(ancestor + "/")


def is_management_group(scope: str) -> bool:
    """Whether a folded scope is a management group itself."""
    return scope.startswith(MANAGEMENT_GROUP_PREFIX) and "/" not in scope[len(MANAGEMENT_GROUP_PREFIX) :]


def subscription_of(scope: str) -> str | None:
    """The folded subscription ID (a GUID) of a folded scope, or None at the root and at management groups."""
    if not scope.startswith(SUBSCRIPTION_PREFIX):
        return None
    return scope[len(SUBSCRIPTION_PREFIX) :].split("/", 1)[0] or None


def resource_group_of(scope: str) -> str | None:
    """The folded name of the resource group of a folded scope, or None where there is none."""
    parts = scope.split("/")
    return parts[4] if len(parts) > 4 and parts[3] == "resourcegroups" else None


def vault_of(scope: str) -> str | None:
    """The folded scope of the vault that a folded scope is or lies in, or None where there is none."""
    parts = scope.split("/")
    return "/".join(parts[:9]) if len(parts) > 8 and parts[6:8] == ["microsoft.keyvault", "vaults"] else None


def path_ancestors(scope: str) -> tuple[str, ...]:
    """All folded scopes on the path of a folded scope, from the subscription down to itself.

    For `/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v/secrets/n`: the subscription,
    the group, the vault, the secret. For a management group: only itself. For the root: nothing.
    """
    if scope == ROOT:
        return ()
    parts = scope.split("/")
    if parts[1] != "subscriptions":
        return (scope,)
    chain = ["/".join(parts[:3])]
    rest = parts[3:]
    if rest and rest[0] == "resourcegroups":
        chain.append("/".join(parts[:5]))
        rest = rest[2:]
    if len(rest) >= 4 and rest[0] == "providers":
        base = len(parts) - len(rest)
        chain.extend("/".join(parts[: base + end]) for end in range(4, len(rest) + 1, 2))
    return tuple(chain)


def level_of(scope: str) -> str:
    """What kind of place a folded scope is: `root`, `management group`, `subscription`, `resource group`, `resource`, `object`."""
    if scope == ROOT:
        return "root"
    if scope.startswith(MANAGEMENT_GROUP_PREFIX):
        return "management group"
    depth = len(scope.split("/"))
    if depth <= 3:
        return "subscription"
    if depth <= 5:
        return "resource group"
    return "resource" if depth <= 9 else "object"
