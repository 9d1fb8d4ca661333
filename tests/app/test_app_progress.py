import pytest

from kvaudit.app.settings import Voice
from kvaudit.app.steps import Steps


@pytest.mark.parametrize(
    ("voice", "records", "told"),
    [
        (Voice(), 50_000, "reading 50,000 records …\n"),
        (Voice(), 49_999, ""),
        (Voice(quiet=True), 5_000_000, ""),
    ],
)
def test_the_steps_of_a_large_snapshot_are_told(
    voice: Voice, records: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Steps(voice, records)("reading 50,000 records")
    assert capsys.readouterr() == ("", told)


def test_a_path_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Steps(Voice(), 50_000)("writing [red]x[/red].json")
    assert capsys.readouterr().err == "writing [red]x[/red].json …\n"
