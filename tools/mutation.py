"""Mutation testing of the access room: `nox -s mutation -- [--sample N | --percent P] [FILE or MUTANT...]`.

mutmut makes the mutants: one change at a time in one function. They are judged here and not by mutmut's own runner, which
starts pytest anew for each of thousands: the tests are collected once, run once without any mutant to see which functions
each of them reaches, and every mutant gets a forked child that runs those that reach its function, the quick ones first, until
one fails. A mutant that no test notices survives. Properties draw few examples, the same in every run (the Hypothesis profile
`mutation`).

Files are named as `kvaudit/access/denies.py`, mutants as mutmut does: `kvaudit.access.denies.x_taken__mutmut_30`. With
`--sample N`, N mutants of each file are drawn by a fixed seed; with `--percent P`, P in a hundred of each file, and at least FEWEST.

Mutants that change nothing that could be seen are listed in `tools/equivalent_mutants.toml`, with the reason: they are known by
what they change and not by their numbers, which move with the code.
"""

import argparse
import ast
import difflib
import functools
import gc
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOM = ROOT / "kvaudit" / "access"
COPIED = ("kvaudit", "tests/access", "tests/cases", "tests/conftest.py", "tests/builders.py", "pyproject.toml")
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
SEED = 20261124
FEWEST = 5
_MEMORY = type(functools.lru_cache(len))
SECONDS = 10
"""CPU seconds beyond five times what the tests need, after which a mutant counts as noticed: it does not end."""


def main() -> int:
    """Judges the files that are named and prints what survived."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "what", nargs="*", help="files below kvaudit/access, or mutants; every file when none is named"
    )
    arguments.add_argument("--sample", type=int, help="mutants of each file; all when not given")
    arguments.add_argument("--percent", type=float, help=f"mutants of each file in a hundred, and at least {FEWEST}")
    options = arguments.parse_args()
    files = {Path(name) for name in options.what if "/" in name}
    named = [name for name in options.what if "/" not in name]
    files |= {Path(f"{name.rpartition('.')[0].replace('.', '/')}.py") for name in named}
    files = files or {file.relative_to(ROOT) for file in ROOM.rglob("*.py")}
    total: Counter[str] = Counter()
    verdicts = judge(sorted(files), named, options.sample, options.percent)
    for file, found in itertools.groupby(verdicts, lambda item: f"{item[0].rpartition('.')[0].replace('.', '/')}.py"):
        here: Counter[str] = Counter()
        for name, verdict, change in found:
            here[verdict] += 1
            if verdict == "survives":
                print(f"  survives: {name}\n{change}", flush=True)
        print(f"{file}: {_score(here)}", flush=True)
        total += here
    if total:
        share = 100 * total["killed"] / max(1, total.total() - total["equivalent"])
        print(f"{_score(total)}: {share:.1f} % of those that change something")
    return 0


def _score(verdicts: Counter[str]) -> str:
    return f"{verdicts['killed']} of {verdicts.total()} killed, {verdicts['equivalent']} equivalent, {verdicts['survives']} open"


def judge(
    files: list[Path], named: list[str], sample: int | None, percent: float | None
) -> Iterator[tuple[str, str, str]]:
    """Each mutant with `killed`, `survives` or `equivalent`, and what it changes, as soon as it is judged.

    They are judged in a process and a copy of the sources of its own.

    Args:
        files: relative to the root.
        named: mutants of them; when empty, a sample of each file.
        sample: how many of each file, or None.
        percent: how many in a hundred of each file, or None; all when both are None.
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
        asked = json.dumps([[str(file) for file in files], named, sample, percent])
        command = [sys.executable, __file__, "--judge", asked]
        log = Path(folder) / "log"
        with (
            log.open("w") as errors,
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as done,
        ):
            said = []
            for line in done.stdout or ():
                if line.startswith("mutant "):
                    _, mutant, verdict, change = line.split(maxsplit=3)
                    yield mutant, verdict, json.loads(change)
                else:
                    said.append(line)
        if done.returncode:
            sys.exit("".join(["the mutants could not be judged:\n", *said]) + log.read_text()[-3000:])


def _judge_here(files: list[str], named: list[str], sample: int | None, percent: float | None) -> int:
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    drawn: list[str] = []
    changes: dict[str, tuple[str, str]] = {}
    for file in map(Path, files):
        mutated = mutate_file_contents(str(file), file.read_text(encoding="utf-8"), None, None)
        names = sorted(get_mutant_name(file, name) for name in mutated.mutant_names)
        if not names:
            continue
        file.write_text(mutated.code, encoding="utf-8")
        changes.update((get_mutant_name(file, name), change) for name, change in _changes(mutated.code).items())
        number = len(names) if percent is None else max(FEWEST, round(len(names) * percent / 100))
        drawn += sorted(random.Random(SEED).sample(names, min(sample or number, len(names))))  # noqa: S311
    if not drawn:
        return 0
    arguments = [
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--snapshot-warn-unused",
        "tests/access",
    ]
    return int(pytest.main(arguments, plugins=[_Mutants(named or drawn, changes)]))


def _changes(code: str) -> dict[str, tuple[str, str]]:
    """Each mutant of a mutated file, by its function's name: the lines that it takes away, and those that it puts there."""
    lines = code.splitlines()
    bodies = {
        node.name: [line.strip() for line in lines[node.lineno : node.end_lineno]]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef)
    }
    found = {}
    for name, body in bodies.items():
        original = bodies.get(f"{name.rpartition('__mutmut_')[0]}__mutmut_orig", body)
        edits = list(difflib.unified_diff(original, body, lineterm="", n=0))[2:]
        was, now = ("\n".join(line[1:] for line in edits if line[0] == sign) for sign in "-+")
        found[name] = was, now
    return found


def _why_equivalent(name: str, was: str, now: str, known: list[dict[str, str]]) -> str | None:
    """Why a mutant changes nothing that could be seen, or None."""
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    place = f"{module.removeprefix('kvaudit.access.')}.{mangled.removeprefix('x').removeprefix('_').removeprefix('ǁ').replace('ǁ', '.')}"
    return next(
        (
            item["why"]
            for item in known
            if item.get("in", place) == place and item["was"] in was and item["now"] in now and item["now"] not in was
        ),
        None,
    )


class _Mutants:
    """A pytest plugin: instead of running the tests once, runs for each mutant those that reach it, in a child."""

    def __init__(self, names: list[str], changes: dict[str, tuple[str, str]]) -> None:
        self._names = names
        self._changes = changes
        self._known = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judges every mutant, after the tests passed without any."""
        reaching, seconds = _reached(session)
        for name in self._names:
            was, now = self._changes[name]
            change = json.dumps(f"      - {was}\n+ {now}".replace("\n", "\n      "))
            if _why_equivalent(name, was, now, self._known):
                _say(f"\nmutant {name} equivalent {change}\n")
                continue
            places = sorted(reaching.get(name.rpartition("__mutmut_")[0], ()), key=lambda place: seconds[place])
            items = [session.items[place] for place in places]
            limit = SECONDS + 5 * sum(seconds[place] for place in places)
            verdict = "killed" if _fails(session, items, name, limit) else "survives"
            _say(f"\nmutant {name} {verdict} {change}\n")
        return True


def _reached(session: pytest.Session) -> tuple[dict[str, list[int]], list[float]]:
    """For each function the places of the tests that reach it, and how many CPU seconds each test takes.

    What a process remembers from call to call is forgotten before every test, or only the first would be seen to reach it.
    """
    import mutmut.mutation.trampoline as trampoline

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        found: dict[str, list[int]] = defaultdict(list)
        seconds: list[float] = []
        hits: set[str] = set()
        setattr(trampoline, "record_trampoline_hit", lambda name, **_: hits.add(name))  # noqa: B010
        os.environ["MUTANT_UNDER_TEST"] = "stats"
        memories = [item for item in gc.get_objects() if isinstance(item, _MEMORY) and _is_ours(item)]
        try:
            for place, item in enumerate(session.items):
                hits.clear()
                for memory in memories:
                    memory.cache_clear()
                begin = time.process_time()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                seconds.append(time.process_time() - begin)
                for name in hits:
                    found[name].append(place)
            with os.fdopen(write, "w") as out:
                json.dump([session.testsfailed, found, seconds], out)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        text = told.read()
    os.waitpid(child, 0)
    failed, reaching, seconds = json.loads(text or "[1, {}, []]")
    if failed:
        raise pytest.UsageError("the tests fail without any mutant")
    return reaching, seconds


def _is_ours(function: object) -> bool:
    return str(getattr(function, "__module__", "")).startswith("kvaudit.")


def _fails(session: pytest.Session, items: list[pytest.Item], name: str, limit: float) -> bool:
    """Whether some test fails in a child in which a mutant is alive."""
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, limit)
        os.environ["MUTANT_UNDER_TEST"] = name
        failed = True
        try:
            failed = _run(session, items)
        finally:
            os._exit(int(failed))
    return os.waitpid(child, 0)[1] != 0


def _run(session: pytest.Session, items: list[pytest.Item]) -> bool:
    for item in items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return True
    return False


def _say(text: str) -> None:
    os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, text.encode())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        sys.exit(_judge_here(*json.loads(sys.argv[2])))
    sys.exit(main())
