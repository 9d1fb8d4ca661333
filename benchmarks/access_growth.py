"""How loading, judging and who-can grow with the tenant: a table over five sizes, from snapshots that are drawn from a seed.

    python benchmarks/access_growth.py              five sizes up to a quarter of the full one
    python benchmarks/access_growth.py --full 1     up to 100,000 vaults and 2 million role assignments

Each size is measured in a process of its own: CPU seconds, so that a busy machine does not blur the ratios, and the peak of
memory. Loading is reading the snapshot; judging is the verdict and the counts of every rule on every vault. Who-can is the
whole command about one vault, from its start: the first time, when it loads the snapshot and leaves the index beside it, and
again from that index.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.snapshots import Size, write_snapshot
from kvaudit.access.evaluator import Access
from kvaudit.rules.judge import judge
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot

STEPS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
KVAUDIT = Path(sys.executable).with_name("kvaudit")


def measure(folder: Path) -> dict[str, float]:
    """One size: loads and judges in this process."""
    began = time.process_time()
    estate = load_estate(open_snapshot(folder))
    loaded = time.process_time()
    loading_peak = _peak()
    verdicts = Counter((rule.id, found.verdict) for _, rule, found in judge(Access(estate)))
    judged = time.process_time()
    return {
        "vaults": len(estate.vaults),
        "assignments": len(estate.role_assignments),
        "memberships": len(estate.memberships),
        "load": loaded - began,
        "judge": judged - loaded,
        "load_peak": loading_peak,
        "peak": _peak(),
        "verdicts": sum(verdicts.values()),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def who_can(folder: Path) -> float:
    """CPU seconds of the command that asks about one vault."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [str(KVAUDIT), "who-can", "secrets/get", "--vault", "kv-0", "--from", str(folder), "-o", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 4):
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=float, default=0.25, help="the largest size, as a share of 100,000 vaults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    columns = "vaults | assignments | memberships | load, CPU s | judge, CPU s | judge, µs a vault | first who-can, CPU s | who-can, CPU s"
    print(f"| {columns} | peak of loading, MB | peak, MB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for step in STEPS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "snapshot"
            write_snapshot(folder, Size.share(chosen.full * step), chosen.seed)
            command = [sys.executable, __file__, "--measure", str(folder)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            first, again = who_can(folder), who_can(folder)
        print(
            f"| {found['vaults']:,} | {found['assignments']:,} | {found['memberships']:,} | {found['load']:.1f} |"
            f" {found['judge']:.1f} | {found['judge'] / found['vaults'] * 1e6:.0f} | {first:.1f} | {again:.2f} |"
            f" {found['load_peak']:.0f} | {found['peak']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
