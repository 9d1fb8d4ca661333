"""Precision and recall of `kvaudit contracts infer` on real source files whose operations were read by hand.

    python benchmarks/inference.py TABLE.tsv FOLDER [LANGUAGE]

TABLE has the columns id, lang, path, operations, implied_by_sdk; FOLDER holds each file as ID/PATH, fetched from its public
repository at the commit that the table names. Control-plane operations (`arm:`) are no needs of a contract and are left
out. What the table calls implied counts neither for nor against. Needs that are a name only are not counted as found.
"""

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

from kvaudit.contracts.infer.needs import Grade
from kvaudit.contracts.infer.project import needs_of_file


def operations_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![:/])\b(?:secrets|keys|certificates)/[a-zA-Z]+", text))


def main(table: Path, folder: Path, only: str | None = None) -> None:
    right: dict[str, int] = defaultdict(int)
    wrong: dict[str, int] = defaultdict(int)
    missed: dict[str, int] = defaultdict(int)
    for row in csv.DictReader(table.open(encoding="utf-8"), delimiter="\t"):
        if only not in (None, row["lang"]):
            continue
        path = folder / row["id"] / row["path"]
        needs = needs_of_file(path, row["path"])
        found = {item.operation for item in needs if item.grade is not Grade.NAME_ONLY}
        named = {item.operation for item in needs} - found
        wanted, implied = operations_in(row["operations"]), operations_in(row["implied_by_sdk"])
        excused = implied | {item.operation for item in needs if item.word in implied}
        extra, lost = found - wanted - excused, wanted - found
        right[row["lang"]] += len(found & wanted)
        wrong[row["lang"]] += len(extra)
        missed[row["lang"]] += len(lost)
        if extra or lost:
            print(
                row["id"],
                row["path"][-60:],
                "extra",
                sorted(extra),
                "missed",
                sorted(lost),
                "named",
                sorted(named & lost),
            )
    for lang, found_right in right.items():
        precision = found_right / max(found_right + wrong[lang], 1)
        recall = found_right / max(found_right + missed[lang], 1)
        print(
            f"{lang:<11} precision {precision:.3f} recall {recall:.3f} ({found_right} right, {wrong[lang]} wrong, {missed[lang]} missed)"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
