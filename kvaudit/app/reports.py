"""`--report FORMAT=PATH` and `--out DIR`: which files a judging command writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvaudit.app.files import write_whole
from kvaudit.app.settings import Voice
from kvaudit.app.steps import Steps
from kvaudit.errors import UsageError
from kvaudit.report.access_rows import CSV_ROW_LIMIT
from kvaudit.report.audit import Audit
from kvaudit.report.formats import FORMATS

_QUIET = Voice(quiet=True)

OUT_FILES = (("html", "report.html"), ("json", "findings.json"), ("csv", "access.csv"))
"""What `--out DIR` writes: format and file name."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file to write: a format of `FORMATS` and where it goes.

    Attributes:
        by_name: asked for by `--report`, and not only part of `--out`.
    """

    format: str
    path: Path
    by_name: bool = True


def report_files(out: Path | None, reports: Sequence[str]) -> tuple[ReportFile, ...]:
    """The files that `--out` and every `--report` ask for.

    Raises:
        UsageError: every `--report` that is not FORMAT=PATH with a known format, all at once.
    """
    files = [ReportFile(name, out / file, by_name=False) for name, file in OUT_FILES] if out is not None else []
    mistakes = []
    for text in reports:
        name, separator, path = text.partition("=")
        if not separator or not path:
            mistakes.append(f"--report {text}: give it as FORMAT=PATH, for example html=report.html")
        elif name not in FORMATS:
            mistakes.append(
                f"--report {text}: there is no format {name!r}; the formats are {', '.join(sorted(FORMATS))}"
            )
        else:
            files.append(ReportFile(name, Path(path)))
    if mistakes:
        raise UsageError("a report cannot be written", details=tuple(mistakes))
    return tuple(files)


def write_reports(audit: Audit, files: Sequence[ReportFile], voice: Voice = _QUIET) -> tuple[Path, ...]:
    """Writes every file, each whole or not at all, and answers what was written.

    `access.csv` of more than a million rows is written only when it is asked for by name: no spreadsheet opens it. One
    of an earlier run goes, so that nobody takes it for this one's.
    """
    written = []
    tell = Steps(voice, sum(item.items for item in audit.coverage.values()))
    for file in files:
        if file.format == "csv" and not file.by_name and audit.access_rows > CSV_ROW_LIMIT:
            file.path.unlink(missing_ok=True)
            continue
        tell(f"writing {file.path}")
        render = FORMATS[file.format]
        write_whole(file.path, lambda stream, render=render: render(audit, stream))  # type: ignore[misc]
        written.append(file.path)
    return tuple(written)
