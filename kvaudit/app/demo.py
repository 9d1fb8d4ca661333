"""`demo`: the lab, the sample estate and a full scan, without an Azure account."""

import shlex
from pathlib import Path

from kvaudit.app.lab import started_lab
from kvaudit.app.scan import scan
from kvaudit.app.settings import Connection, Voice, cloud_of
from kvaudit.app.terminal import console_for
from kvaudit.collection.request import CollectRequest
from kvaudit.errors import ExitCode

ESTATE = "contoso"


def demo(out: Path, voice: Voice) -> ExitCode:
    """Scans the sample tenant on the embedded lab, over real HTTPS, and ends with the path of the report.

    Returns:
        OK when it worked: findings and gaps are what the sample is made of.
    """
    console = console_for("stderr", voice)
    if not voice.quiet:
        console.print(
            "Starting the lab: a local double of Azure with the sample tenant Contoso. Nothing leaves this machine.",
            soft_wrap=True,
        )
    with started_lab(ESTATE) as lab:
        environ = lab.environment("auditor")
        connection = Connection(
            cloud_of("public"), auth="client-secret", tenant=environ["AZURE_TENANT_ID"], debug=voice.debug
        )
        scan(CollectRequest(), connection, voice, out=out, fail_on="never", environ=environ)
    if not voice.quiet:
        folder = shlex.quote(str(out / "snapshot"))
        console.print("\nAsk the snapshot yourself:", soft_wrap=True)
        console.print(
            f"  kvaudit who-can secrets/get --vault kv-payments-prod --expand-groups --from {folder}",
            soft_wrap=True,
        )
        console.print(f"  kvaudit can payments-api secrets/get kv-payments-prod --from {folder}", soft_wrap=True)
    console_for("stdout", voice).print(str(out / "report.html"), soft_wrap=True)
    return ExitCode.OK
