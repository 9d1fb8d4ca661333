"""Whether the files of a snapshot are as they were written."""

import hashlib
import os
from pathlib import Path

from kvaudit.collectors.catalogue import by_kind
from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.lines import corrupt
from kvaudit.snapshot.manifest import COLLECT_AGAIN, Manifest, open_regular

_READ = 2**20


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Check that every file is there with its size, and that there is no file of ours that the manifest does not name.

    Raises:
        SnapshotError: with one line for each file that is not as it was written.
    """
    wrong = []
    known = {layout.GAPS, layout.LISTINGS, *map(layout.kind_file, by_kind())}
    for name in sorted(known):
        facts = manifest.files.get(name)
        try:
            size = (folder / name).stat().st_size
        except FileNotFoundError:
            size = None
        if facts is None:
            if size is not None:
                wrong.append(f"{name}: the manifest does not name it")
            elif name in (layout.GAPS, layout.LISTINGS):
                wrong.append(f"{name}: missing")
        elif size is None:
            wrong.append(f"{name}: missing")
        elif size != facts.bytes:
            wrong.append(f"{name}: {size} bytes where {facts.bytes} were written")
    if wrong:
        raise SnapshotError(f"the snapshot {folder} is corrupt", hint=COLLECT_AGAIN, details=tuple(wrong))


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Check the size and SHA-256 of every file. Raises SnapshotError with one line for each that differs."""
    check_sizes(folder, manifest)
    known = {layout.GAPS, layout.LISTINGS, *map(layout.kind_file, by_kind())}
    wrong = tuple(
        f"{name}: its SHA-256 is not the one in the manifest"
        for name, facts in sorted(manifest.files.items())
        if name in known and _sha256(folder / name) != facts.sha256
    )
    if wrong:
        raise SnapshotError(f"the snapshot {folder} is corrupt", hint=COLLECT_AGAIN, details=wrong)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        descriptor = open_regular(path)
    except OSError as error:
        raise corrupt(path, error.strerror or "it cannot be opened") from error
    try:
        while block := os.read(descriptor, _READ):
            digest.update(block)
    finally:
        os.close(descriptor)
    return digest.hexdigest()
