"""Changes that mend an error and are no grant: a setting of the vault or of an object, a name that is taken."""

from kvaudit.explain.facts import Facts
from kvaudit.remediation import Fix, quoting

_NOUNS = {"secrets": "secret", "keys": "key", "certificates": "certificate"}


def template_deployment_fix(facts: Facts) -> Fix | None:
    """Lets Resource Manager fetch secrets of the vault for templates. None where the error names no vault."""
    if facts.vault is None:
        return None
    az = quoting.shell_command("az", "keyvault", "update", name=facts.vault, enabled_for_template_deployment="true")
    return Fix(
        f"let Resource Manager fetch secrets of {facts.vault} for templates",
        az,
        f"// in the properties of the vault {quoting.one_line(facts.vault)}:\nenabledForTemplateDeployment: true\n",
        f"# in azurerm_key_vault of {quoting.one_line(facts.vault)}:\nenabled_for_template_deployment = true\n",
    )


def recovery_fix(facts: Facts) -> Fix | None:
    """Recovers the soft-deleted object, or the vault where the error names no object. None where it names neither."""
    if facts.vault is None:
        return None
    what, az = facts.vault, quoting.shell_command("az", "keyvault", "recover", name=facts.vault)
    kind, _, name = (facts.object or "").partition("/")
    if kind in _NOUNS:
        what = f"{facts.object} in {facts.vault}"
        az = quoting.shell_command("az", "keyvault", _NOUNS[kind], "recover", vault_name=facts.vault, name=name)
    elif not facts.has(r"vault with the same name|existing key vault"):
        return None
    none = f"no template recovers {quoting.one_line(what)}: use the CLI, then import it"
    terraform = f"# azurerm recovers it by itself where features.key_vault says recover_soft_deleted; else:\n# {none}\n"
    return Fix(f"recover {what}", az, f"// {none}\n", terraform)


def enabling_fix(facts: Facts) -> Fix | None:
    """Enables the object. None where the error does not name it."""
    kind, _, name = (facts.object or "").partition("/")
    if facts.vault is None or kind not in _NOUNS:
        return None
    noun = _NOUNS[kind]
    az = quoting.shell_command(
        "az", "keyvault", noun, "set-attributes", vault_name=facts.vault, name=name, enabled="true"
    )
    note = f"attributes of {quoting.one_line(f'{facts.object} in {facts.vault}')}: enabled, and dates that hold today"
    return Fix(f"enable {facts.object} in {facts.vault}", az, f"// {note}\n", f"# {note}\n")
