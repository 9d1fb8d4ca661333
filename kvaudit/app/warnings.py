"""What a person should know beside the result."""

from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for
from kvaudit.report.audit import Audit


def warn_if_no_vault(audit: Audit, voice: Voice) -> None:
    """A scope that was read and holds no vault is an answer, and probably not the one that was expected."""
    if not audit.estate.vaults and not voice.quiet:
        console_for("stderr", voice).print(
            "warning: no vault was found in what was asked. Check --tenant and --subscription."
        )
