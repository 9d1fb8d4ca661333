"""Steps of a command, and the mistakes that they find, told together."""

import pytest

from kvaudit.app.mistakes import Mistakes
from kvaudit.errors import OutputError, UsageError


def refuse(message: str, *details: str, hint: str | None = None) -> None:
    raise UsageError(message, hint=hint, details=details)


def test_steps_without_mistakes_answer() -> None:
    mistakes = Mistakes()
    found = mistakes.of(lambda: 1)
    more = mistakes.of(lambda: found.value + 1)
    mistakes.tell()
    assert (found.value, more.value) == (1, 2)


def test_one_mistake_stays_as_it_is_and_what_rests_on_it_is_not_told() -> None:
    mistakes = Mistakes()
    found = mistakes.of(lambda: refuse("no vault 'a'", "one", "two", hint="Give an ID."))
    mistakes.of(lambda: refuse(f"never {found.value}"))
    with pytest.raises(UsageError) as refused:
        mistakes.tell()
    assert (refused.value.message, refused.value.hint) == ("no vault 'a'", "Give an ID.")
    assert refused.value.details == ("one", "two")


def test_several_are_lines_with_what_each_lists_below_it() -> None:
    def inner() -> None:
        several = Mistakes()
        several.of(lambda: refuse("'b' has a twin", "candidate 1", "candidate 2", hint="Give an ID."))
        several.of(lambda: refuse("no 'c'"))
        several.tell()

    mistakes = Mistakes()
    mistakes.of(lambda: refuse("no 'a'", hint="Did you mean b?"))
    mistakes.of(inner)
    with pytest.raises(UsageError) as refused:
        mistakes.tell()
    assert refused.value.message == "3 mistakes"
    assert refused.value.details == (
        "no 'a'. Did you mean b?",
        "'b' has a twin. Give an ID.",
        "  candidate 1",
        "  candidate 2",
        "no 'c'.",
    )


def test_what_takes_long_is_left_where_there_is_a_mistake_to_tell() -> None:
    mistakes = Mistakes()
    mistakes.of(lambda: refuse("no 'a'"))
    mistakes.of(lambda: mistakes.leave("names were not looked up"))
    with pytest.raises(UsageError) as refused:
        mistakes.tell()
    assert (refused.value.message, refused.value.details) == ("no 'a'", ("names were not looked up",))


def test_what_is_no_mistake_of_usage_ends_at_once() -> None:
    def full() -> None:
        raise OutputError("the disk is full")

    with pytest.raises(OutputError):
        Mistakes().of(full)
