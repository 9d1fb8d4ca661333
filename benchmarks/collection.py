"""What a collection asks and costs: a generated tenant on the lab, 60 ms away and with the documented limits.

    python benchmarks/collection.py                 1,000 vaults in 5 subscriptions, 4,000 assignments
    python benchmarks/collection.py 10000 100       10,000 vaults in 100 subscriptions, 40,000 assignments
    python benchmarks/collection.py 1000 5 -- --objects=vault      further words go to `kvaudit collect`

The lab runs in a process of its own, so that the numbers of the command are the command's.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.estate import Estate
from kvaudit.lab.world import JournalEntry

LATENCY = 0.06
ASSIGNMENTS_PER_VAULT = 4
ABOVE = 30
"""Assignments at one management group at most; Azure allows 500."""
_OURS = ("PATH", "PYTHONPATH")
WITHOUT = ("--feature", "access")


def main() -> None:
    """Runs one measurement, or the lab of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vaults", nargs="?", type=int, default=1000)
    parser.add_argument("subscriptions", nargs="?", type=int, default=5)
    parser.add_argument("--objects", type=int, default=0, metavar="N", help="secrets of each vault; keys are a third")
    parser.add_argument(
        "--objects-in-graph", action="store_true", help="let Resource Graph hold assignments on objects"
    )
    parser.add_argument(
        "--bare", action="store_true", help="then have a client that does nothing else make the same requests"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    own, rest = _split(sys.argv[1:])
    given = parser.parse_args(own)
    size = Size(
        management_groups=10,
        subscriptions=given.subscriptions,
        vaults=given.vaults,
        assignments=given.vaults * ASSIGNMENTS_PER_VAULT,
        secrets=max(given.objects, 1),  # or no assignment could stand on one
        keys=given.objects // 3,
        certificates=0,
        policies=2,
        users=400,
        groups=40,
        service_principals=60,
        roles=40,
        denies=20,
        eligible=20,
        active=20,
        auditor_lists=given.objects > 0,
    )
    if given.serve:
        _serve(size, objects_in_graph=given.objects_in_graph, with_requests=given.bare)
        return
    words = rest or [*WITHOUT, "--no-objects"]
    print(f"{given.vaults} vaults, {given.subscriptions} subscriptions: kvaudit collect {' '.join(words)}")
    with tempfile.TemporaryDirectory(prefix="kvaudit-benchmark-") as folder:
        asked = _measure(own, words, Path(folder))
        if given.bare:
            _measure_bare(own, asked, Path(folder))


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _serve(size: Size, *, objects_in_graph: bool, with_requests: bool) -> None:
    """The lab: tells its environment, serves until its input ends, and tells what was asked."""
    estate = generate(1, size)
    _settle(estate)
    with start(estate, latency=LATENCY, throttling=True) as lab:
        lab.world.resource_graph_has_object_scopes = objects_in_graph
        lab.world.resource_graph_has_conditions = objects_in_graph
        print(json.dumps(lab.environment()), flush=True)
        sys.stdin.read()
        sent = [
            [entry.method, entry.host, _target(entry), entry.body.decode()]
            for entry in lab.journal
            if with_requests and not entry.host.startswith("login.")
        ]
        print(json.dumps(_asked(lab) | {"sent": sent}), flush=True)


def _target(entry: JournalEntry) -> str:
    query = urlencode(entry.query)
    return quote(entry.path) + (f"?{query}" if query else "")


def _settle(estate: Estate) -> None:
    """Moves most of what stands above the subscriptions to vaults: the generator draws a sixth there, tenants have few."""
    vaults = [raw["id"] for raw in estate.vaults.values()]
    above: Counter[str] = Counter()
    for number, (key, raw) in enumerate(list(estate.role_assignments.items())):
        scope = raw["properties"]["scope"]
        if scope.casefold().startswith("/subscriptions/") or raw["properties"]["principalId"].endswith("999999999999"):
            continue
        above[scope.casefold()] += 1
        if above[scope.casefold()] > ABOVE:
            del estate.role_assignments[key]
            place = vaults[number % len(vaults)]
            identifier = f"{place}/providers/Microsoft.Authorization/roleAssignments/{raw['name']}"
            moved = {**raw, "id": identifier, "properties": {**raw["properties"], "scope": place}}
            estate.role_assignments[identifier.casefold()] = moved


def _asked(lab: Lab) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    for entry in lab.journal:
        if entry.host.startswith("login."):
            kind = "sign-in"
        elif "ResourceGraph" in entry.path:
            kind = "resource-graph"
        elif entry.host.startswith("management."):
            kind = f"arm {entry.path.rsplit('/', 1)[-1] if 'managementGroups/' not in entry.path[-60:] else 'tree'}"
        else:
            kind = "graph" if entry.host.startswith("graph.") else f"vault {entry.path.split('/')[1]}"
        kinds[kind] += 1
    return {"requests": kinds, "429s": sum(entry.status == 429 for entry in lab.journal)}


@contextmanager
def _lab(words: list[str], folder: Path) -> Iterator[tuple[dict[str, str], Callable[[], Any]]]:
    """A lab in a process of its own: the environment of its clients, and what ends it and tells what was asked."""
    server = subprocess.Popen(
        [sys.executable, __file__, *words, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    stdin, stdout = server.stdin, server.stdout
    if stdout is None or stdin is None:
        raise SystemExit("the lab has no pipes")

    def end() -> Any:
        stdin.close()
        asked = json.loads(stdout.readline())
        server.wait()
        return asked

    inherited = {name: os.environ[name] for name in _OURS if name in os.environ}
    yield {**inherited, "HOME": str(folder), **json.loads(stdout.readline())}, end


def _measure_bare(words: list[str], asked: Any, folder: Path) -> None:
    requests = folder / "requests.json"
    requests.write_text(json.dumps(asked["sent"]))
    with _lab(words, folder) as (environment, end):
        script = Path(__file__).with_name("bare_client.py")
        subprocess.run([sys.executable, str(script), str(requests)], env=environment, check=True)
        print(f"429s {end()['429s']}")


def _measure(words: list[str], options: list[str], folder: Path) -> Any:
    snapshot = folder / "snapshot"
    command = [str(Path(sys.executable).with_name("kvaudit")), "collect", "--auth", "client-secret"]
    with _lab(words, folder) as (environment, end):
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "--snapshot", str(snapshot), *options],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        asked = end()
    print(done.stderr.strip())
    manifest = json.loads((snapshot / "manifest.json").read_text())
    written = sum(file.stat().st_size for file in snapshot.iterdir())
    for kind, count in sorted(asked["requests"].items()):
        print(f"  {kind:<48}{count:>8}")
    items = {kind: item["items"] for kind, item in manifest["coverage"].items() if item["items"]}
    print(f"items: {json.dumps(items)}")
    print(f"by endpoint: {json.dumps(manifest['requests'])}")
    # Only the command had ended when its use was taken; the lab was still running.
    print(
        f"exit {done.returncode}, 429s {asked['429s']}, wall {wall:.1f} s, CPU {used.ru_utime + used.ru_stime:.1f} s, "
        f"peak {used.ru_maxrss / 1024:.0f} MB, snapshot {written / 2**20:.1f} MB"
    )
    return asked


if __name__ == "__main__":
    main()
