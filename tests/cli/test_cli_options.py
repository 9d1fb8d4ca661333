"""Every option of every command: its environment variable, its help, and values that it must refuse."""

from collections.abc import Iterator

import click
import pytest

from kvaudit.cli.root import root


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


EVERY = {" ".join(words): command for words, command in commands(root)}


def options(command: click.Command) -> list[click.Option]:
    return [item for item in command.params if isinstance(item, click.Option) and item.name not in {"help", "version"}]


@pytest.mark.parametrize("name", EVERY)
def test_every_option_has_the_variable_of_its_name_and_says_what_it_does(name: str) -> None:
    for item in options(EVERY[name]):
        long = next(word for word in item.opts if word.startswith("--"))
        assert item.envvar == "KVAUDIT_" + long.removeprefix("--").replace("-", "_").upper(), long
        assert item.help, f"{long} has no help"
    assert EVERY[name].help


@pytest.mark.parametrize("name", EVERY)
def test_the_same_option_is_of_one_kind_everywhere(name: str) -> None:
    """One variable serves every command: it must mean the same to all that read it."""
    seen: dict[object, tuple[bool, bool]] = {}
    for command in EVERY.values():
        for item in options(command):
            seen.setdefault(item.envvar, (item.is_flag, item.multiple))
    for item in options(EVERY[name]):
        assert (item.is_flag, item.multiple) == seen[item.envvar], item.envvar


def values(name: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    command = EVERY[name]
    context = command.make_context(name, [], resilient_parsing=False)
    return dict(context.params)


def test_several_values_stand_in_one_variable_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    given = values(
        "scan",
        monkeypatch,
        KVAUDIT_SUBSCRIPTION="Web shop, Payments",
        KVAUDIT_REPORT="json=a b.json,html=c.html",
        KVAUDIT_FAIL_ON="low",
        KVAUDIT_QUIET="1",
    )
    assert given["subscriptions"] == ("Web shop", "Payments")
    assert given["reports"] == ("json=a b.json", "html=c.html")
    assert (given["fail_on"], given["quiet"]) == ("low", True)


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    given = values("scan", monkeypatch, KVAUDIT_OUT="", KVAUDIT_SUBSCRIPTION="", KVAUDIT_FAIL_ON="")
    assert (given["out"], given["subscriptions"], given["fail_on"]) == (None, (), "high")


@pytest.mark.parametrize(
    ("name", "value"), [("KVAUDIT_FAIL_ON", "sometimes"), ("KVAUDIT_AUTH", "magic"), ("KVAUDIT_QUIET", "perhaps")]
)
def test_a_wrong_variable_is_a_wrong_option(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(click.BadParameter):
        values("scan", monkeypatch, **{name: value})


@pytest.mark.parametrize("words", [["--out", ""], ["--snapshot", ""], ["--from", ""]])
def test_an_empty_path_is_refused(words: list[str]) -> None:
    with pytest.raises(click.BadParameter, match="empty"):
        EVERY["scan"].make_context("scan", words)
