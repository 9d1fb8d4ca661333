"""`kvaudit explain [FILE|-]`."""

from pathlib import Path

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import answer_options, from_option, stream_options
from kvaudit.cli.output import print_answer


@click.command("explain", cls=Command)
@click.argument("source", required=False, metavar="[FILE|-]", cls=Argument)
@from_option(required=False)
@answer_options
@stream_options
def command(*, source: str | None, snapshot: Path | None, output: str, query: str | None, **voice: bool) -> None:
    """Say what an error of Key Vault means, why it happened, and the smallest fix.

    Takes JSON bodies, exceptions and tracebacks of the SDKs, output of az and Terraform, deployment errors and log lines,
    from a file or stdin. With --from it checks the claim against a snapshot. -o json holds the fix as Azure CLI, Bicep and
    Terraform text.
    """
    from kvaudit.app.explaining import explain_source
    from kvaudit.app.settings import Voice

    found = explain_source(source, snapshot, Voice(**voice))
    print_answer(found.data, output=output, query=query, lines=found.lines)
