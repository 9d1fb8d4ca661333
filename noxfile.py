"""Gates and long runs. The test run itself is line 2 of the README's Quick start."""

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "imports", "dependencies", "docs", "sizes", "packaging"]
nox.options.reuse_existing_virtualenvs = True


def _install(session: nox.Session) -> None:
    session.install("--require-hashes", "-r", "requirements-dev.lock")
    session.install("--no-deps", ".")


@nox.session
def tests(session: nox.Session) -> None:
    """The whole test run, against the installed wheel."""
    _install(session)
    session.run("pytest", "-q", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """The properties with fresh examples: ten times as many, drawn anew each time."""
    _install(session)
    environment = {"HYPOTHESIS_PROFILE": "explore"}
    session.run("pytest", "-q", *(session.posargs or ["tests/access", "tests/agreement"]), env=environment)


@nox.session
def chaos(session: nox.Session) -> None:
    """Every fault at 1, 5 and 20 % of all requests, of which the test run draws a few."""
    _install(session)
    session.run("pytest", "-q", *(session.posargs or ["tests/chaos"]), env={"KVAUDIT_CHAOS": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy --strict."""
    _install(session)
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """The rooms: imports go down only."""
    _install(session)
    session.run("lint-imports")


@nox.session
def dependencies(session: nox.Session) -> None:
    """Every import is a declared dependency, and every dependency is imported."""
    _install(session)
    session.run("deptry", ".")


@nox.session
def docs(session: nox.Session) -> None:
    """Generated pages are current; `nox -s docs -- --write` brings them up to date."""
    _install(session)
    session.run("python", "tools/docs.py", *(session.posargs or ["--check"]))


@nox.session(python=False)
def sizes(session: nox.Session) -> None:
    """The largest files and functions, and none over the limit."""
    session.run("python3", "tools/sizes.py", external=True)


@nox.session
def packaging(session: nox.Session) -> None:
    """Wheel, sdist and editable install each hold what the report is made of; builds without a network."""
    _install(session)
    session.run("python", "tools/packaging.py")


@nox.session
def coverage(session: nox.Session) -> None:
    """Line and branch coverage; model, access, rules and collectors are looked at line by line."""
    session.install("--require-hashes", "-r", "requirements-dev.lock")
    session.install("--no-deps", "-e", ".")
    session.run(
        "coverage",
        "run",
        "--branch",
        "--source",
        "kvaudit",
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "--ignore",
        "tests/browser",
    )
    session.run("coverage", "report", "--skip-covered", "--show-missing")


@nox.session
def mutation(session: nox.Session) -> None:
    """Mutants of the access room that the tests do not notice: `-- --sample 40 kvaudit/access/verdicts.py`."""
    _install(session)
    session.run("python", "tools/mutation.py", *session.posargs)


@nox.session
def benchmark(session: nox.Session) -> None:
    """How loading, judging and who-can grow over five sizes: `-- --full 1` up to 100,000 vaults (minutes, 1 GB)."""
    _install(session)
    session.run("python", "benchmarks/access_growth.py", *session.posargs)


@nox.session
def az(session: nox.Session) -> None:
    """The Azure CLI from the package index signs in to the lab, lists vaults and role assignments, and shows a vault."""
    _install(session)
    session.install("azure-cli")
    session.run("python", "tools/az_against_lab.py")


@nox.session
def sarif(session: nox.Session) -> None:
    """Microsoft's SARIF multitool, with GitHub's rules, over what `lint` writes; needs npm."""
    _install(session)
    folder = session.create_tmp()
    session.run("npm", "install", "--silent", "--prefix", folder, "@microsoft/sarif-multitool-linux", external=True)
    session.run("python", "tools/sarif_by_multitool.py", folder)


@nox.session
def ci_files(session: nox.Session) -> None:
    """The action, the pipeline template and the hook against the published schemas of their hosts."""
    session.install("check-jsonschema", "pre-commit")
    check = ("check-jsonschema", "--builtin-schema")
    session.run(*check, "vendor.github-actions", "action.yml")
    transform = ("--data-transform", "azure-pipelines")
    session.run(*check, "vendor.azure-pipelines", *transform, "pipelines/kvaudit.yml")
    session.run("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")


@nox.session
def lock(session: nox.Session) -> None:
    """Writes both locks: hashed, for every platform, without the address of any index."""
    session.install("uv")
    common = (
        "uv",
        "pip",
        "compile",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--quiet",
        "--python-version",
        "3.11",
    )
    quiet = ("--no-emit-index-url", "--no-emit-find-links", "pyproject.toml")
    session.run(*common, *quiet, *session.posargs, "-o", "requirements.lock")
    session.run(*common, *quiet, *session.posargs, "--all-extras", "--group", "dev", "-o", "requirements-dev.lock")
