"""What probing costs: a generated tenant on the lab, 40 ms away and with the documented limits.

    python benchmarks/probes.py              500 vaults, 11 probes each: 5,500, less what a vault of another tenant is not asked
    python benchmarks/probes.py 1000         1,000 vaults

The records are collected first (`--from`), so that the numbers are those of probing. The lab runs in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kvaudit.lab import Size, generate, start

LATENCY = 0.04
SUBSCRIPTIONS = 5
_OURS = ("PATH", "PYTHONPATH")


def main() -> None:
    """Runs one measurement, or the lab of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vaults", nargs="?", type=int, default=500, help="500 vaults are 5,500 probes")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        _serve(given.vaults)
    else:
        _measure(given.vaults)


def _serve(vaults: int) -> None:
    """The lab: tells its environment and its vaults, serves until its input ends, and tells what was asked."""
    size = Size(
        management_groups=5,
        subscriptions=SUBSCRIPTIONS,
        vaults=vaults,
        assignments=vaults * 4,
        secrets=1,
        keys=0,
        certificates=0,
        policies=2,
        users=100,
        groups=20,
        service_principals=20,
        auditor_lists=True,
    )
    estate = generate(1, size)
    for vault in estate.vaults.values():  # every vault is reachable: those behind a firewall would cost less
        vault["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
    with start(estate, latency=LATENCY, throttling=True) as lab:
        names = [str(vault["name"]) for vault in estate.vaults.values()]
        print(json.dumps({"environment": lab.environment(), "vaults": names}), flush=True)
        for _ in sys.stdin:
            lab.journal.clear()
            print(flush=True)
        kinds = Counter("vault" if ".vault." in entry.host else entry.host.partition(".")[0] for entry in lab.journal)
        print(json.dumps({"requests": kinds, "429s": sum(entry.status == 429 for entry in lab.journal)}), flush=True)


def _measure(vaults: int) -> None:
    server = subprocess.Popen(
        [sys.executable, __file__, str(vaults), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if server.stdout is None or server.stdin is None:
        raise SystemExit("the lab has no pipes")
    told = json.loads(server.stdout.readline())
    with tempfile.TemporaryDirectory(prefix="kvaudit-benchmark-") as folder:
        run = _Runner(folder, told["environment"])
        run("collect", "--feature", "access", "--no-objects", "--snapshot", "snapshot")
        server.stdin.write("\n")
        server.stdin.flush()
        server.stdout.readline()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        done = run("probe", "--from", "snapshot", "--yes", "-o", "json", *told["vaults"])
        wall = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        server.stdin.close()
        asked = json.loads(server.stdout.readline())
        server.wait()
    found = json.loads(done.stdout)["vaults"]
    outcomes = Counter(item["outcome"] for vault in found for item in vault["operations"] if item["status"])
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"{vaults} vaults: {json.dumps(asked['requests'])}, 429s {asked['429s']}")
    print(
        f"operations: {json.dumps(outcomes)}; reachable: {sum(v['reachability']['state'] == 'reachable' for v in found)}"
    )
    print(f"exit {done.returncode}, wall {wall:.1f} s, CPU {cpu:.1f} s, peak {used.ru_maxrss / 1024:.0f} MB")


class _Runner:
    """Runs the installed command in a folder."""

    def __init__(self, folder: str, environment: dict[str, Any]) -> None:
        self._folder = folder
        ours = {name: os.environ[name] for name in _OURS if name in os.environ}
        self._environment = {**ours, "HOME": folder, **environment}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("kvaudit")), words[0], "--auth", "client-secret", *words[1:]]
        done = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 3, 4):
            raise SystemExit(done.stderr)
        return done


if __name__ == "__main__":
    main()
