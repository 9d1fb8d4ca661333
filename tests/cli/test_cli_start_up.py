"""Start-up is a feature: completion runs the program on every TAB."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("azure", "pydantic", "jinja2", "pyroaring", "aiohttp", "rich", "orjson", "yaml", "duckdb")
PROBE = """
import json, sys
sys.argv = ["kvaudit", *{words!r}]
from kvaudit.cli import main
try:
    main()
except SystemExit:
    pass
print("MODULES" + json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""


def modules_after(words: list[str], **environment: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=words)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], **environment},
        check=True,
        timeout=60,
    )
    loaded: set[str] = set(json.loads(done.stdout.rsplit("MODULES", 1)[1]))
    return loaded


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["scan", "--help"],
        ["who-can", "--help"],
        ["can", "--help"],
        ["access", "--help"],
        ["roles", "--help"],
        ["schema", "--help"],
        ["demo", "--help"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    assert not modules_after(words) & set(HEAVY)


def test_completion_imports_nothing_heavy() -> None:
    loaded = modules_after([], _KVAUDIT_COMPLETE="bash_complete", COMP_WORDS="kvaudit s", COMP_CWORD="1")
    assert not loaded & set(HEAVY)
