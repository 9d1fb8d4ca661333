"""Options that several commands share, each with its environment variable (`KVAUDIT_` and the option's own name)."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from kvaudit.cli.form import Option
from kvaudit.errors import UsageError
from kvaudit.model.clouds import AUTHS

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]

CLOUDS = ("public", "usgov", "china")
SOURCES = ("auto", "resource-graph", "arm")
OUTPUTS = ("table", "json", "yaml", "tsv")
FEATURES = ("access", "objects", "identities", "settings")
LEVELS = ("critical", "high", "medium", "low", "info", "never")


class SomePath(click.Path):
    """A path, and not an empty one: `--out "$FOLDER"` of an unset variable would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click, after refusing the empty path."""
        if not str(value):
            self.fail("The path is empty.", param, ctx)
        return super().convert(value, param, ctx)


class Duration(click.ParamType[float]):
    """A length of time: `90`, `90s`, `15m`, `2h`. Seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, more than none."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smh]?)\s*", str(value))
        seconds = float(found.group(1)) * {"": 1, "s": 1, "m": 60, "h": 3600}[found.group(2)] if found else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is not a length of time such as 90s, 15m or 2h.", param, ctx)
        return seconds


def option(*names: str, **settings: Any) -> Decorator[Any]:
    """A click option whose environment variable is named after the option alone: `--fail-on` -> `KVAUDIT_FAIL_ON`."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    settings.setdefault("cls", Option)
    settings.setdefault("envvar", "KVAUDIT_" + long.lstrip("-").replace("-", "_").upper())
    return click.option(*names, **settings)


def _stack(*decorators: Decorator[Any]) -> Decorator[Any]:
    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def _plain(ctx: click.Context, param: click.Parameter, value: bool) -> bool:  # noqa: ARG001 - as click calls it
    """Makes everything plain that is printed from now on, messages about the other options included."""
    if value:
        os.environ["NO_COLOR"] = "1"
    return value


def stream_options(function: Function) -> Function:
    """`--quiet --verbose --debug --no-color`."""
    stack: Function = _stack(
        option("--quiet", is_flag=True, help="No progress and no warnings; errors still show."),
        option("--verbose", is_flag=True, help="More about what is being read, on stderr."),
        option("--debug", is_flag=True, help="Log requests (never a token, a header or a body) and show tracebacks."),
        option("--no-color", is_flag=True, is_eager=True, callback=_plain, help="Plain text. NO_COLOR works too."),
    )(function)
    return stack


def cloud_options(function: Function) -> Function:
    """`--cloud`, `--auth` and the endpoints of an unknown cloud."""
    stack: Function = _stack(
        option("--cloud", type=click.Choice(CLOUDS), default="public", show_default=True, help="Which Azure cloud."),
        option("--auth", type=click.Choice(AUTHS), default="default", show_default=True, help="How to sign in."),
        option("--arm-endpoint", metavar="URL", help="Resource Manager endpoint of another cloud."),
        option("--authority", metavar="URL", help="Sign-in endpoint of another cloud."),
        option(
            "--vault-suffix", metavar="SUFFIX", help="DNS suffix of vaults of another cloud, e.g. .vault.azure.net."
        ),
        option("--graph-endpoint", metavar="URL", help="Microsoft Graph endpoint of another cloud."),
    )(function)
    return stack


def scope_options(function: Function) -> Function:
    """What to read: tenant, subscriptions, management groups, groups, vaults, and whether their objects too."""
    stack: Function = _stack(
        option("--tenant", metavar="ID", help="Tenant to read; the credential's own when left out."),
        option("--subscription", "subscriptions", metavar="ID|NAME", multiple=True, help="Only this one. Repeatable."),
        option(
            "--management-group", "management_groups", metavar="ID", multiple=True, help="Only below it. Repeatable."
        ),
        option(
            "--resource-group", "resource_groups", metavar="NAME", multiple=True, help="Only its vaults. Repeatable."
        ),
        option("--vault", "vaults", metavar="NAME", multiple=True, help="Only this vault. Repeatable."),
        option(
            "--objects",
            "objects",
            is_flag=False,
            flag_value="arm",
            default="arm",
            type=click.Choice(("arm", "vault")),
            help="Names and attributes of secrets and keys: through Resource Manager (the default), or `vault`, from the "
            "vaults themselves, certificates too. Never a value.",
        ),
        option("--no-objects", is_flag=True, help="Leave out the names of secrets, keys and certificates."),
        feature_option,
        option(
            "--objects-limit",
            type=click.IntRange(min=1),
            default=2000,
            show_default=True,
            metavar="N",
            help="With --objects=vault: ask the endpoints of so many vaults at most. Many can raise alerts of Defender.",
        ),
        option(
            "--source",
            type=click.Choice(SOURCES),
            default="auto",
            show_default=True,
            help="Resource Graph, Resource Manager (arm), or auto: Resource Graph where it is sure to show everything.",
        ),
        option(
            "--verify-with-arm",
            is_flag=True,
            help="Read what Resource Graph answers from Resource Manager too, and tell the differences.",
        ),
        option(
            "--time-budget",
            type=Duration(),
            metavar="DURATION",
            help="End after so long, such as 90s, 15m or 2h; what was not read by then is a gap.",
        ),
    )(function)
    return stack


def feature_option(function: Function) -> Function:
    """`--feature NAME`: what is read, and so which permissions are needed."""
    decorated: Function = option(
        "--feature",
        "features",
        type=click.Choice(FEATURES),
        multiple=True,
        help="Only this, and `access`, which is always read: who may do what in which vault. `objects`: names of secrets and "
        "keys. `identities`: who can act as somebody who has access. `settings`: logging, locks, Defender. Repeatable; "
        "everything when left out.",
    )(function)
    return decorated


def from_option(*, required: bool = True) -> Decorator[Any]:
    """`--from DIR`: the snapshot to answer from."""
    return option(
        "--from",
        "snapshot",
        type=SomePath(path_type=Path),
        required=required,
        metavar="DIR",
        help="Snapshot folder, as written by `kvaudit collect` or `kvaudit scan --out`.",
    )


def _is_query(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The query as it is, refused before anything is asked where it is none."""
    if value is not None:
        from kvaudit.cli.output import compiled_query

        try:
            compiled_query(value)
        except UsageError as problem:
            raise click.BadParameter(
                f"{problem.message.removeprefix('--query ')}. {problem.hint}", ctx, param
            ) from problem
    return value


def answer_options(function: Function) -> Function:
    """`-o/--output` and `--query`: how the question commands print."""
    stack: Function = _stack(
        option("-o", "--output", type=click.Choice(OUTPUTS), default="table", show_default=True, help="Output format."),
        option(
            "--query",
            metavar="JMESPATH",
            callback=_is_query,
            help="A JMESPath query, applied before the output is formatted.",
        ),
    )(function)
    return stack


def report_options(function: Function) -> Function:
    """`--out DIR` and `--report FORMAT=PATH`: files that the judging commands write."""
    stack: Function = _stack(
        option(
            "--out",
            type=SomePath(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Write report.html, findings.json and access.csv into this folder; `scan` keeps its snapshot there too.",
        ),
        option("--report", "reports", metavar="FORMAT=PATH", multiple=True, help="Write one report. Repeatable."),
    )(function)
    return stack


def fail_on_option(function: Function) -> Function:
    """`--fail-on LEVEL`: exit 3 when a finding at or above it exists."""
    decorated: Function = option(
        "--fail-on",
        type=click.Choice(LEVELS),
        default="high",
        show_default=True,
        help="Exit with 3 when a finding is at least this severe.",
    )(function)
    return decorated
