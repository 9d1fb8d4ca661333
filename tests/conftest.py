"""Settings of the whole test run."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from kvaudit.lab import Lab

# The test run draws the same examples every time, so that what passed here passes there; `nox -s explore` draws new ones,
# ten times as many, to find what these did not. `nox -s mutation` draws few, for each of thousands of mutants, and leaves a
# failing example as large as it was found.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("kvaudit", deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=1000, suppress_health_check=SLOW)
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    max_examples=6,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "kvaudit"))

KVAUDIT = Path(sys.executable).with_name("kvaudit")
"""The installed command, beside the Python that runs the tests."""

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # tests draw tenants with `benchmarks`; last, so that `kvaudit` is the installed one

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started behind `nohup … &`, every command under test would ignore Ctrl-C too; what a process handles, its children get back.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real templates and recordings beside the project; tests that need it skip, saying so, when it is absent."""
    folder = Path(os.environ.get("KVAUDIT_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"no corpus of recordings at {folder}; set KVAUDIT_CORPUS to run this test")
    return folder


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(scope="session")
def contoso() -> Iterator["Lab"]:
    """A lab with the sample estate, which tests only read."""
    from kvaudit.lab import start

    with start("contoso") as lab:
        yield lab


def run_kvaudit(
    *words: str, environment: dict[str, str] | None = None, cwd: Path | None = None, timeout: float = 90
) -> Done:
    """Runs the installed command with nothing of this process's environment but PATH and HOME."""
    scrubbed = {"PATH": os.environ["PATH"], "HOME": str(cwd or "/nonexistent"), "COLUMNS": "100", **(environment or {})}
    done = subprocess.run(
        [str(KVAUDIT), *words], env=scrubbed, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in an empty folder."""

    def in_folder(*words: str, environment: dict[str, str] | None = None, timeout: float = 90) -> Done:
        return run_kvaudit(*words, environment=environment, cwd=tmp_path, timeout=timeout)

    return in_folder


@pytest.fixture(scope="session")
def scanned(contoso: "Lab", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `kvaudit scan --out` left of the sample estate."""
    folder = tmp_path_factory.mktemp("scan")
    done = run_kvaudit(
        "scan", "--auth", "client-secret", "--out", "report", environment=contoso.environment("auditor"), cwd=folder
    )
    assert done.code == 3, done.err
    return folder / "report"


@dataclass(frozen=True)
class HostileScan:
    """What `kvaudit scan --out --debug` said and left of the sample estate `hostile`."""

    done: Done
    folder: Path


@pytest.fixture(scope="session")
def hostile_scan(tmp_path_factory: pytest.TempPathFactory) -> HostileScan:
    """A scan of the estate whose names attack what shows them."""
    from kvaudit.lab import start

    folder = tmp_path_factory.mktemp("hostile")
    words = ("scan", "--auth", "client-secret", "--debug", "--out", "report")
    with start("hostile") as lab:
        done = run_kvaudit(*words, environment=lab.environment("auditor"), cwd=folder)
    assert done.code == 3, done.err
    return HostileScan(done, folder / "report")
