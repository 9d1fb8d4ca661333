"""Mutation testing of the access room, file by file: `nox -s mutation -- [--sample N] [FILE...]`.

mutmut changes one thing at a time in one file and runs the tests that reach it; a mutant that no test notices survives. Each
file is judged in a copy of the sources of its own: what mutmut weaves into the files that it may change makes every test
slower, so only one file is ever woven. Properties run with few examples that are the same in every run (the Hypothesis
profile `mutation`).

With `--sample N`, N mutants of each file are drawn by a fixed seed: all of them take hours.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / "kvaudit" / "access"
SEED = 20261124
COPIED = (
    "kvaudit",
    "tests/access",
    "tests/cases",
    "tests/conftest.py",
    "tests/builders.py",
    "reports",
    "pyproject.toml",
    "README.md",
)
_CASES = "test_access_cases.py"
SURVIVED, NOT_REACHED = 0, 33
"""Exit codes in mutmut's records: the tests passed; no test reaches the mutant."""


def main() -> int:
    """Judges the files that are named and prints what survived."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", help="files below kvaudit/access; all when none is named")
    arguments.add_argument("--sample", type=int, help="mutants of each file; all when not given")
    arguments.add_argument("--children", type=int, default=os.cpu_count() or 1, help="tests that run side by side")
    options = arguments.parse_args()
    files = [ROOT / name for name in options.files] or sorted(ROOM.rglob("*.py"))
    killed = total = 0
    for file in files:
        outcome = judge(file.relative_to(ROOT), options.sample, options.children)
        if outcome is None:
            continue
        survivors = [name for name, code in outcome.items() if code in (SURVIVED, NOT_REACHED)]
        killed, total = killed + len(outcome) - len(survivors), total + len(outcome)
        print(f"{file.relative_to(ROOM)}: {len(outcome) - len(survivors)} of {len(outcome)} killed", flush=True)
        for name in survivors:
            print(f"  survives: {name}{' (no test reaches it)' if outcome[name] == NOT_REACHED else ''}", flush=True)
    if total:
        print(f"{killed} of {total} mutants killed: {100 * killed / total:.1f} %")
    return 0


def judge(file: Path, sample: int | None, children: int) -> dict[str, int] | None:
    """Mutant -> exit code of its tests, or None for a file in which there is nothing to change."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source, target = ROOT / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        settings = (copy / "pyproject.toml").read_text(encoding="utf-8")
        settings = settings.replace("kvaudit/access/*", file.as_posix()).replace(
            '["tests/access"]', json.dumps(_tests(file))
        )
        (copy / "pyproject.toml").write_text(settings, encoding="utf-8")
        names = _mutants(copy, file)
        if not names:
            return None
        chosen = names if sample is None else random.Random(SEED).sample(names, min(sample, len(names)))  # noqa: S311
        _mutmut(copy, "run", "--max-children", str(children), *chosen)
        codes = _records(copy, file)
        return {name: code for name in sorted(chosen) if (code := codes[name]) is not None}


_NAMES = """
import sys
from pathlib import Path
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name
file = Path(sys.argv[1])
for name in mutate_file_contents(str(file), file.read_text(encoding="utf-8"), None, None).mutant_names:
    print(get_mutant_name(file, name))
"""


def _mutants(copy: Path, file: Path) -> list[str]:
    """The names of all mutants of a file."""
    command = [sys.executable, "-c", _NAMES, str(file)]
    return sorted(subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True).stdout.split())


def _tests(file: Path) -> list[str]:
    """The tests that may reach a file: those of conditions are many and reach nothing else."""
    names = sorted(item.name for item in (ROOT / "tests" / "access").glob("test_*.py"))
    about_conditions = "conditions" in file.parts
    wanted = [item for item in names if item.startswith("test_conditions_") is about_conditions or item == _CASES]
    return [f"tests/access/{item}" for item in wanted]


def _records(copy: Path, file: Path) -> dict[str, int | None]:
    meta = copy / "mutants" / f"{file}.meta"
    if not meta.exists():
        return {}
    found: dict[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _mutmut(copy: Path, *arguments: str) -> None:
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutation", "PYTHONPATH": str(copy)}
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mutmut {arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
