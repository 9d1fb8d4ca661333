"""The page of `explain` names every kind, and every code that tells one."""

from pathlib import Path

from kvaudit.explain import Kind
from kvaudit.explain.signatures import SIGNATURES

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"


def test_every_kind_has_its_row_with_every_code() -> None:
    rows = {line.split("`")[1]: line.casefold() for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    assert set(Kind) <= set(rows)
    for signature in SIGNATURES:
        missing = [code for code in signature.codes if code not in rows[signature.kind]]
        assert missing == []
