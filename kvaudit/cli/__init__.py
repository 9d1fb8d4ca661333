"""Arguments, streams and exit codes: the command line of ARCHITECTURE.md."""


def main() -> None:
    """Runs the command line."""
    raise SystemExit("kvaudit: the command line is not wired yet")
