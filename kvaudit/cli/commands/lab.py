"""`kvaudit lab serve [ESTATE]`."""

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import option, stream_options


@click.group("lab")
def command() -> None:
    """A local double of the Azure endpoints: real clients, real HTTPS, nothing leaves this machine."""


@command.command("serve", cls=Command)
@click.argument("estate", default="contoso", cls=Argument)
@option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port of the proxy; a free one when left out."
)
@option("--identity", default="auditor", show_default=True, metavar="NAME", help="Whose credential to print.")
@stream_options
def serve(*, estate: str, port: int, identity: str, quiet: bool, verbose: bool, debug: bool, no_color: bool) -> None:
    """Serve ESTATE (a file, or a sample: contoso, or hostile, whose names attack whoever shows them) until Ctrl-C.

    Prints the environment variables that point any unmodified Azure client at the lab.
    """
    from kvaudit.app.lab import serve as serve_lab
    from kvaudit.app.settings import Voice

    serve_lab(estate, port=port, identity=identity, voice=Voice(quiet, verbose, debug, no_color))
