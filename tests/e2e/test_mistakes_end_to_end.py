"""Everything that is wrong with a command is told at once: whoever mends one thing should not meet the next only then."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import KVAUDIT
from conftest_types import Run

WHO_CAN = ("who-can", "secrets/gett", "--vault", "kv-web-prood", "--vault", "kv-none")
CAN = ("can", "Nobody Here", "secrets/gett", "kv-web-prood")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*WHO_CAN,), ["'secrets/gett'", "'kv-web-prood'", "Did you mean kv-web-prod", "'kv-none'"]),
        ((*WHO_CAN, "--object", "db"), ["'secrets/gett'", "--object 'db'", "'kv-web-prood'", "'kv-none'"]),
        (
            ("who-can", "secrets/list", "keys/sign", "certificates/nope", "--object", "secrets/db", "--vault", "kv-none"),
            ["'certificates/nope'", "secrets/list exists on the vault only", "keys/sign is not an operation on secrets", "'kv-none'"],
        ),
        (CAN, ["'secrets/gett'", "'Nobody Here'", "'kv-web-prood'"]),
        ((*CAN, "--object", "db", "--expect", "denied"), ["'secrets/gett'", "--object 'db'", "'Nobody Here'", "'kv-web-prood'"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_question_that_is_wrong_in_several_ways(
    scanned: Path, run: Run, words: tuple[str, ...], said: list[str]
) -> None:
    done = run(*words, "--from", str(scanned / "snapshot"))
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert lines[0].startswith(f"error: {len(said) - ('Did you mean kv-web-prod' in said)} mistakes")
    for part in said:
        assert sum(part in line for line in lines) == 1, done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*WHO_CAN, "--from", "nowhere"), ["'secrets/gett'", "nowhere does not exist"]),
        ((*CAN, "--from", "nowhere", "--object", "x"), ["'secrets/gett'", "--object 'x'", "nowhere does not exist"]),
        (("explain", "no-error.txt", "--from", "nowhere"), ["no-error.txt: No such file", "nowhere does not exist"]),
        (("probe", "a/b", "c_d", "--from", "nowhere"), ["'a/b', 'c_d' cannot be vaults", "nowhere does not exist"]),
        (
            ("probe", "a/b", "--arm-endpoint", "http://x", "--from", "nowhere"),
            ["http://x", "nowhere does not exist"],
        ),
        (("report", "--from", "nowhere", "--report", "pdf"), ["--report pdf", "nowhere does not exist"]),
        (("scan", "--from", "nowhere", "--report", "pdf", "--probe", "--arm-endpoint", "http://x"), ["--report pdf", "http://x", "nowhere does not exist"]),
        (
            ("scan", "--report", "pdf", "--arm-endpoint", "http://x", "--source", "arm", "--verify-with-arm"),
            ["--report pdf", "http://x", "--verify-with-arm compares"],
        ),
        (
            ("collect", "--arm-endpoint", "http://x", "--source", "arm", "--verify-with-arm"),
            ["http://x", "--verify-with-arm compares", "--snapshot DIR"],
        ),
        (
            ("check", "nope.yaml", "--from", "nowhere", "--report", "pdf=x", "--template", "none.json"),
            ["there is no format 'pdf'", "nope.yaml: there is no such file", "nowhere does not exist", "none.json: not found"],
        ),
        (("check", "nope.yaml"), ["nope.yaml: there is no such file", "nothing to check against"]),
        (("check", "nope.yaml", "--live", "--arm-endpoint", "http://x"), ["nope.yaml: there is no such file", "http://x"]),
        (("lint", "none.bicep", "--report", "pdf=x"), ["none.bicep: not found", "there is no format 'pdf'"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_other_commands_that_are_wrong_in_several_ways(
    run: Run, tmp_path: Path, words: tuple[str, ...], said: list[str]
) -> None:
    (tmp_path / "file").write_text("a file, and no folder")
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {len(said)} mistakes"), done.err
    for part in said:
        assert done.err.count(part) == 1, done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("can", "somebody"), ["'OPERATION'", "'VAULT'", "'--from'"]),
        (("who-can", "-o", "xml", "--query", "[", "--from", ""), ["'OPERATION...'", "'xml'", "'--query': is no JMESPath", "'--from'"]),
        (("scan", "--fail-on", "x", "--cloud", "moon", "--time-budget", "soon"), ["'x'", "'moon'", "'soon'"]),
        (("report", "--out", "", "surplus"), ["'--out'", "'--from'", "(surplus)"]),
        (("scan", "--subscriptoin", "x", "--cloud", "moon", "-z", "--out"), ["'--subscriptoin'. Did you mean '--subscription'?", "'moon'", "'-z'", "'--out' requires an argument"]),
        (("scan", "--quite=yes", "--quiet=yes", "--fail-on", "x"), ["'--quite'. Did you mean '--quiet'?", "'--quiet' does not take a value", "'x'"]),
        (("report", "--out", "--from", "x", "--repotr"), ["'--out' requires an argument", "'--repotr'. Did you mean '--report'?"]),
        (("can", "a", "b", "--form=x"), ["'--form'. Did you mean '--from'?", "'VAULT'"]),
        (("schema", "a", "b", "--foo"), ["'--foo'", "(b)"]),
        (("rules", "--outptu=json", "-o", "xml"), ["'--outptu'. Did you mean '--output'?", "'xml'"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_missing_and_what_cannot_be_stand_in_one_message(
    run: Run, words: tuple[str, ...], said: list[str]
) -> None:
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Usage: kvaudit {words[0]} ")
    told = done.err[done.err.index("Error: ") :]
    assert told.startswith(f"Error: {len(said)} mistakes\n"), done.err
    for part in said:
        assert told.count(part) == 1, done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("can", "a", "b", "--form", "x"), "No such option '--form'. Did you mean '--from'?"),
        (("can", "a", "b", "c", "--form", "x"), "No such option '--form'. Did you mean '--from'?"),
        (("can", "a", "b", "--vault", "c", "--from", "x"), "No such option '--vault'."),
        (("scan", "--nonsense", "--help"), "No such option '--nonsense'."),
        (("report", "--from"), "Option '--from' requires an argument."),
        (("report", "--from", "x", "--quiet=1"), "Option '--quiet' does not take a value."),
        (("report", "--from", "x", "-qz"), "No such option '-q'."),
        (("--quiet", "scan"), "No such option '--quiet'. Options stand after the command, as in `kvaudit scan --quiet`."),
        (("--from", "x", "report"), "No such option '--from'. Options stand after the command, as in `kvaudit report --from x`."),
        (("--foo",), "No such option '--foo'. `kvaudit --help` lists the commands."),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_follows_from_a_mistake_is_not_told_beside_it(run: Run, words: tuple[str, ...], said: str) -> None:
    """The value of an unknown option may be an argument or not, and an option that is misspelt is not missing too."""
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err[done.err.index("Error: ") :] == f"Error: {said}\n"


def test_a_value_that_looks_like_an_option_is_given_with_an_equals_sign(run: Run) -> None:
    assert "--out does not exist" in run("report", "--from=--out").err
    assert "--foo: No such file" in run("explain", "--", "--foo").err


def test_a_query_that_is_none_is_told_before_anything_is_asked(run: Run) -> None:
    done = run("probe", "kv-web-prod", "--query", "[")
    assert (done.code, done.out) == (2, "")
    assert "'--query': is no JMESPath" in done.err
    assert "probe" not in done.err.split("Error: ")[1], "nothing was asked, so nothing was announced"


def test_a_mistake_alone_is_told_as_ever(scanned: Path, run: Run) -> None:
    done = run("who-can", "secrets/gett", "--vault", "kv-web-prod", "--from", str(scanned / "snapshot"))
    assert done.err.splitlines() == [
        "error: there is no operation 'secrets/gett'",
        "hint: Did you mean secrets/get, secrets/set, secrets/purge?",
    ]


def test_standard_input_is_not_waited_for_where_the_snapshot_is_missing(tmp_path: Path) -> None:
    """`explain` reads until its input ends, which may be long in coming: what is wrong already is told first."""
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [str(KVAUDIT), "explain", "--from", "nowhere"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            stdin=reading,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 2
    assert "nowhere does not exist" in done.stderr
