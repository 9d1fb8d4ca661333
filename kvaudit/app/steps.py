"""What is done next with a large snapshot, told on stderr a line each."""

from kvaudit.app.settings import Voice

LARGE = 50_000
"""Records of a snapshot whose loading begins to take about two seconds."""


class Steps:
    """Tells what is done next with a snapshot, a line each: of a large one every step takes seconds or minutes.

    A line and no bar: a bar is another thread, beside which nothing may be forked (`kvaudit.rules.side_by_side`).

    Args:
        voice: with `quiet` nothing is told.
        records: how many the snapshot holds; of a small one nothing is told.
    """

    def __init__(self, voice: Voice, records: int) -> None:
        self._voice = voice
        self._is_told = not voice.quiet and records >= LARGE

    def __call__(self, words: str) -> None:
        """Tell a step."""
        if self._is_told:
            # A question that an index or a small snapshot answers tells nothing, and does not wait for rich.
            from kvaudit.app.terminal import console_for

            console = console_for("stderr", self._voice)
            console.print(f"{words} …", style="dim", highlight=False, markup=False, soft_wrap=True)
