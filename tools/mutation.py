"""Mutation testing of the access room: `nox -s mutation -- [--sample N] [FILE or MUTANT...]`.

mutmut makes the mutants: one change at a time in one function. They are judged here and not by mutmut's own runner, which
starts pytest anew for each of thousands: the tests are collected once for each file, and every mutant gets a forked child
that runs them, the quick ones first, until one fails. A mutant that no test notices survives. Properties draw few examples,
the same in every run (the Hypothesis profile `mutation`).

Files are named as `kvaudit/access/denies.py`, mutants as mutmut does: `kvaudit.access.denies.x_taken__mutmut_30`. With
`--sample N`, N mutants of each file are drawn by a fixed seed.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / "kvaudit" / "access"
COPIED = ("kvaudit", "tests/access", "tests/cases", "tests/conftest.py", "tests/builders.py", "pyproject.toml")
SEED = 20261124
SECONDS = 120
"""CPU seconds after which a mutant counts as noticed: it does not end."""

_PARTS = ("conditions", "escalation", "smallest")
_SLOW = ("laws", "oracle", "counts", "smallest")


def main() -> int:
    """Judges the files that are named and prints what survived."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "what", nargs="*", help="files below kvaudit/access, or mutants; every file when none is named"
    )
    arguments.add_argument("--sample", type=int, help="mutants of each file; all when not given")
    options = arguments.parse_args()
    files: dict[Path, list[str]] = {Path(name): [] for name in options.what if "/" in name}
    for name in (item for item in options.what if "/" not in item):
        files.setdefault(Path(f"{name.rpartition('.')[0].replace('.', '/')}.py"), []).append(name)
    if not files:
        files = {file.relative_to(ROOT): [] for file in sorted(ROOM.rglob("*.py"))}
    killed = total = 0
    for file, named in files.items():
        survivors, judged = judge(file, named, options.sample)
        killed, total = killed + judged - len(survivors), total + judged
        if judged:
            print(f"{file}: {judged - len(survivors)} of {judged} killed", flush=True)
        for name in survivors:
            print(f"  survives: {name}", flush=True)
    if total:
        print(f"{killed} of {total} mutants killed: {100 * killed / total:.1f} %")
    return 0


def judge(file: Path, named: list[str], sample: int | None) -> tuple[list[str], int]:
    """The mutants of a file that survive, and how many were judged; in a process and a copy of the sources of its own.

    Args:
        file: relative to the root.
        named: mutants of it; when empty, a sample of all.
        sample: how many, or None for all.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutation", "PYTHONPATH": folder, "MUTANT_UNDER_TEST": ""}
        command = [sys.executable, __file__, "--judge", str(file), str(sample or 0), *named]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{file} could not be judged:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("mutant ")]
    return [name for _, name, verdict in lines if verdict == "survives"], len(lines)


def _judge_here(file: Path, sample: int, named: list[str]) -> int:
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    mutated = mutate_file_contents(str(file), file.read_text(encoding="utf-8"), None, None)
    names = sorted(get_mutant_name(file, name) for name in mutated.mutant_names)
    if not names:
        return 0
    file.write_text(mutated.code, encoding="utf-8")
    drawn = random.Random(SEED).sample(names, min(sample, len(names))) if sample else names  # noqa: S311
    arguments = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", *_tests(file)]
    return int(pytest.main(arguments, plugins=[_Mutants(named or sorted(drawn))]))


def _tests(file: Path) -> list[str]:
    """The tests that may reach a file, quick ones first. Those of one part of the room are many and reach nothing else."""
    names = sorted(Path("tests/access").glob("test_*.py"), key=lambda item: (any(w in item.name for w in _SLOW), item))
    others = {part for part in _PARTS if part not in str(file)}
    return [str(item) for item in names if not any(part in item.name for part in others)]


class _Mutants:
    """A pytest plugin: instead of running the tests once, runs them for each mutant in a child."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judges every mutant, after the tests passed without any."""
        if session.testsfailed or self._fails(session, ""):
            raise pytest.UsageError("the tests fail without any mutant")
        for name in self._names:
            verdict = "killed" if self._fails(session, name) else "survives"
            os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, f"\nmutant {name} {verdict}\n".encode())
        return True

    def _fails(self, session: pytest.Session, name: str) -> bool:
        """Whether some test fails in a child in which a mutant is alive."""
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            os.environ["MUTANT_UNDER_TEST"] = name
            failed = True
            try:
                failed = _run(session)
            finally:
                os._exit(int(failed))
        return os.waitpid(child, 0)[1] != 0


def _run(session: pytest.Session) -> bool:
    for item in session.items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return True
    return False


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        sys.exit(_judge_here(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
    sys.exit(main())
