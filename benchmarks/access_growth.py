"""How loading, judging and who-can grow with the tenant: a table over five sizes, from snapshots that are drawn from a seed.

    python benchmarks/access_growth.py              five sizes up to a quarter of the full one
    python benchmarks/access_growth.py --full 1     up to 100,000 vaults and 2 million role assignments
    python benchmarks/access_growth.py --only 10    one size: one million vaults and 20 million role assignments
    python benchmarks/access_growth.py --identities the same five sizes with owners, credentials and identities of machines

Each size is measured in a process of its own: seconds that pass, CPU seconds of it and of the processes that it starts, and the
peak of the memory that they hold together (pages that two of them share count once; seen five times a second). Loading is
reading the snapshot; judging is the verdict and the counts of every rule on every vault and who can read its secrets, members
of groups included. Who-can is the whole command about one vault, from its start: the first time, when it loads the snapshot
and leaves the index beside it, and again from that index.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.identities import with_identities
from benchmarks.snapshots import Size, write_snapshot
from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.report.vault_tally import VaultCounter
from kvaudit.rules.catalogue import RULES
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot

COLUMNS = (
    *(
        "vaults",
        "assignments",
        "memberships",
        "load, s",
        "load, CPU s",
        "judge, s",
        "judge, CPU s",
        "judge, µs a vault",
    ),
    *("readers of all vaults", "first who-can, CPU s", "who-can, CPU s", "peak of loading, MB", "peak of judging, MB"),
)
STEPS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
KVAUDIT = Path(sys.executable).with_name("kvaudit")


def measure(folder: Path, *, identities: bool) -> None:
    """One size: loads and judges in this process, and tells it line by line."""
    begun = _now()
    estate = load_estate(open_snapshot(folder))
    sizes = {"vaults": len(estate.vaults), "assignments": len(estate.role_assignments)}
    print(json.dumps({**sizes, "memberships": len(estate.memberships), "load": _since(begun)}), flush=True)
    if identities:
        estate = with_identities(estate, 1)
    begun = _now()
    parts = VaultCounter(Access(estate), RULES).all_vaults()
    verdicts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        for column, rule in enumerate(RULES):
            for found, number in part.judgements.counts(column):
                verdicts[rule.id, found.verdict] += number
    readers = sum(found.total(Answer.ALLOWED) + found.members for part in parts for found in part.readers)
    told = {"verdicts": sum(verdicts.values()), "readers": readers, "processes": len(parts)}
    print(json.dumps({**told, "judge": _since(begun)}), flush=True)


def _now() -> tuple[float, float]:
    """Seconds that passed, and CPU seconds of this process and of those that it waited for."""
    return time.perf_counter(), sum(os.times()[:4])


def _since(begun: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = _now()
    return wall - begun[0], cpu - begun[1]


def watched(command: list[str]) -> tuple[dict[str, Any], list[float]]:
    """What a command tells, and the peak of memory in MB until each of its lines: its own and that of its children."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = {}
    peaks = [0.0]

    def look() -> None:
        while process.poll() is None:
            peaks[-1] = max(peaks[-1], _memory(process.pid))
            time.sleep(0.2)

    watch = threading.Thread(target=look)
    watch.start()
    for line in process.stdout or ():
        found.update(json.loads(line))
        peaks.append(0.0)
    watch.join()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return found, peaks


def _memory(pid: int) -> float:
    """The memory of a process and of its children in MB, as Linux tells it; 0.0 where they are gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return own + sum(_memory(int(child)) for child in below)


def who_can(folder: Path) -> float:
    """CPU seconds of the command that asks about one vault."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(KVAUDIT), "who-can", "secrets/get", "--vault", "kv-0", "--from", str(folder), "-o", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 4):
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(size: float, seed: int, *, asks: bool, identities: bool) -> str:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "snapshot"
        write_snapshot(folder, Size.share(size), seed)
        return measured(folder, asks=asks, identities=identities)


def measured(folder: Path, *, asks: bool, identities: bool) -> str:
    """The line of a snapshot that is there."""
    more = ["--identities"] if identities else []
    found, peaks = watched([sys.executable, __file__, "--measure", str(folder), *more])
    first, again = (f"{who_can(folder):.1f}", f"{who_can(folder):.2f}") if asks else ("", "")
    load, judge = found["load"], found["judge"]
    return (
        f"| {found['vaults']:,} | {found['assignments']:,} | {found['memberships']:,} | {load[0]:.1f} | {load[1]:.1f} |"
        f" {judge[0]:.1f} | {judge[1]:.1f} | {judge[0] / found['vaults'] * 1e6:.0f} | {found['readers']:,} |"
        f" {first} | {again} | {peaks[0]:.0f} | {max(peaks[1:]):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=float, default=0.25, help="the largest size, as a share of 100,000 vaults")
    parser.add_argument("--only", type=float, help="one size alone, without who-can")
    parser.add_argument("--snapshot", type=Path, help="a snapshot that is there already, without who-can")
    parser.add_argument("--identities", action="store_true", help="judge with identity records, without who-can")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.measure, identities=chosen.identities)
        return
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|", flush=True)
    if chosen.snapshot:
        print(measured(chosen.snapshot, asks=False, identities=chosen.identities))
        return
    for size in (chosen.only,) if chosen.only else [chosen.full * step for step in STEPS]:
        asks = not chosen.only and not chosen.identities
        print(row(size, chosen.seed, asks=asks, identities=chosen.identities), flush=True)


if __name__ == "__main__":
    main()
