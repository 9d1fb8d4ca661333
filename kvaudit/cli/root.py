"""The root command: which commands exist, in which order they are shown, and where each one's code is."""

import importlib
from typing import Any

import click

from kvaudit import __version__

SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Audit",
        (
            ("scan", "scan", "Collect, judge and report in one go."),
            ("collect", "collect", "Read a tenant into a snapshot folder."),
            ("report", "report", "Judge a snapshot and write reports."),
        ),
    ),
    (
        "Questions",
        (
            ("who-can", "who_can", "Who may do an operation on a vault, and why."),
            ("can", "can", "May this principal do this, and why (or why not)."),
            ("access", "access", "Export every holder of access, one row each."),
        ),
    ),
    (
        "Errors",
        (
            ("explain", "explain", "What an error means, why it happened, and the smallest fix."),
            ("probe", "probe", "Ask vaults what this identity may do; nothing is written, no value is read."),
        ),
    ),
    (
        "Before deployment",
        (
            ("check", "check", "Compare what workloads need with what they hold."),
            ("contracts", "contracts", "Read from application code what it needs, as a first file of contracts."),
            ("lint", "lint", "Judge templates, scripts and dependency files."),
        ),
    ),
    (
        "Reference",
        (
            ("roles", "roles", "The smallest built-in role for operations, and what it gives beyond."),
            ("rules", "rules", "List the rules, or show one."),
            ("permissions", "permissions", "What kvaudit itself needs to be allowed to read."),
            ("schema", "schema", "JSON Schemas of what kvaudit writes for programs."),
        ),
    ),
    (
        "Without an Azure account",
        (
            ("demo", "demo", "A full audit of a sample tenant on the embedded lab."),
            ("lab", "lab", "A local double of the Azure endpoints."),
        ),
    ),
)
"""Section title -> (command, module under `kvaudit.cli.commands`, one-line help)."""

_COMMANDS = {name: (module, text) for _, rows in SECTIONS for name, module, text in rows}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command's name, in the order of `SECTIONS`."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"kvaudit.cli.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click, with what to do about an option that stands before the command."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            ctx.fail(f"{problem.message} {_where_options_stand(words)}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with a suggestion for a word that is nearly a command."""
        word = args[0] if args else ""
        if word and not word.startswith("-") and word not in _COMMANDS:
            ctx.fail(_unknown_command(word))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands by section, without importing any of them."""
        for title, rows in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, _, text in rows])


def _unknown_command(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, _COMMANDS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " `kvaudit --help` lists the commands."
    return f"There is no command {word!r}.{hint}"


def _where_options_stand(words: list[str]) -> str:
    import shlex

    command = next((word for word in words if word in _COMMANDS), None)
    if command is None:
        return "`kvaudit --help` lists the commands."
    at = words.index(command)
    return f"Options stand after the command, as in `kvaudit {shlex.join([command, *words[:at]])}`."


_EPILOG = (
    "Start with `kvaudit demo`. Exit codes: 0 clean or answered, 1 failed, 2 wrong use or credential, "
    "3 a threshold or expectation was not met, 4 incomplete: something could not be read, "
    "130 Ctrl-C, 141 the reader of the output went away. "
    "Every option has an environment variable of its name: KVAUDIT_FAIL_ON is --fail-on; several values are separated by commas."
)

_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "auto_envvar_prefix": None,
}


@click.command(cls=LazyGroup, context_settings=_SETTINGS, epilog=_EPILOG)
@click.version_option(__version__, prog_name="kvaudit")
def root() -> None:
    """For every Azure Key Vault of a tenant: who can do what, what is wrong, and the proof.

    kvaudit reads, and never a secret's value.
    """
