"""Builds the wheel and the sdist, installs each, the editable install too, and renders a report with every one of them.

python tools/packaging.py       without a network, in a few seconds; exits with 1 when an install lacks a part

Needs hatchling and the dependencies in the environment that runs it (requirements-dev.lock). Each install gets a fresh
environment of its own; the dependencies are seen through a .pth file, kvaudit itself is not.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation")

RENDERS = """
import io, sys
from pathlib import Path
import kvaudit
from kvaudit.access.evaluator import Access
from kvaudit.lab.estate_file import load_estate as sample
from kvaudit.model.estate import Estate
from kvaudit.report import page
from kvaudit.report.build import build_audit
where, forbidden = Path(kvaudit.__file__).resolve(), sys.argv[1]
if forbidden and where.is_relative_to(forbidden):
    sys.exit(f"kvaudit was imported from {where}, not from the install")
if not (where.parent / "py.typed").is_file():
    sys.exit("py.typed is missing")
sample("contoso")
audit = build_audit(Access(Estate(tenant_id="11111111-1111-1111-1111-111111111111")), tool_version=kvaudit.__version__,
                    generated_at="2026-11-24T08:00:00Z", scope={})
out = io.BytesIO()
page.render(audit, out)
text = out.getvalue().decode()
if "<style>" not in text or "function vaultTable" not in text:
    sys.exit("the report's parts are missing")
print(f"{len(text):,} characters of report from {where.parent}")
"""


def main() -> int:
    """Builds, installs and renders. Answers the exit code."""
    with tempfile.TemporaryDirectory(prefix="kvaudit-packaging-") as name:
        folder = Path(name)
        wheel = _build(folder / "wheel", ROOT)
        sdist = _sdist(folder / "sdist")
        from_sdist = _build(folder / "from-sdist", sdist)
        results = [
            _installed(folder / "venv-wheel", "wheel", wheel),
            _installed(folder / "venv-sdist", "wheel built from the sdist", from_sdist),
            _installed(folder / "venv-editable", "editable install", _editable(folder / "editable", sdist)),
        ]
    return 0 if all(results) else 1


def _build(out: Path, source: Path) -> Path:
    subprocess.run([*PIP, "wheel", *OFFLINE, "--wheel-dir", str(out), str(source)], check=True, cwd=ROOT)
    (wheel,) = out.glob("*.whl")
    return wheel


def _sdist(out: Path) -> Path:
    line = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(out)]
    subprocess.run(line, check=True, cwd=ROOT, capture_output=True)
    (sdist,) = out.glob("*.tar.gz")
    return sdist


def _editable(out: Path, sdist: Path) -> Path:
    """The wheel that `pip install --editable` makes (PEP 660), of the tree in the sdist: which shows that it is whole."""
    with tarfile.open(sdist) as archive:
        archive.extractall(out / "source", filter="data")
    (tree,) = (out / "source").iterdir()
    line = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", line, str(out)], check=True, cwd=tree)
    (wheel,) = out.glob("*.whl")
    return wheel


def _installed(place: Path, what: str, wheel: Path) -> bool:
    """Whether a fresh environment with this install runs the command and renders the report."""
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([*PIP, "--python", str(python), "install", *OFFLINE, str(wheel)], check=True, cwd=place)
    packages = Path(
        subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    # Last on the path: what is installed in the fresh environment wins.
    (packages / "dependencies.pth").write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")
    scrubbed = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    runs = (
        [str(python), "-c", RENDERS, "" if "editable" in what else str(ROOT)],
        [str(python.with_name("kvaudit")), "rules", "show", "purge-protection-off"],
    )
    for run in runs:
        done = subprocess.run(run, capture_output=True, text=True, cwd=place, env=scrubbed, check=False)
        if done.returncode:
            print(f"{what}: FAILED\n{done.stdout}{done.stderr}")
            return False
        print(f"{what}: {done.stdout.splitlines()[0]}")
    return True


if __name__ == "__main__":
    sys.exit(main())
