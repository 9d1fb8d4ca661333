"""What a person should know beside the result."""

from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for
from kvaudit.report.audit import Audit

_OPTIONS = {
    "subscriptions": "--subscription",
    "management_groups": "--management-group",
    "resource_groups": "--resource-group",
    "vaults": "--vault",
}


def warn_if_no_vault(audit: Audit, voice: Voice) -> None:
    """A scope that was read and holds no vault is an answer, and probably not the one that was expected."""
    if not audit.estate.vaults and not voice.quiet:
        asked = [_OPTIONS[key] for key, values in audit.scope.items() if values and key in _OPTIONS]
        check = " and ".join(asked or ["--tenant", "the rights of the signed-in identity"])
        console_for("stderr", voice).print(
            f"warning: no vault was found in what was asked. Check {check}.", soft_wrap=True
        )
