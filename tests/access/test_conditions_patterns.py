"""Wildcards, against a reading of the rules that tries everything: every short pattern on every short text."""

from functools import cache
from itertools import product

from kvaudit.access.conditions.patterns import action_pattern, fits, like_pattern
from kvaudit.access.roles import matches, may_match


def _words(letters: str, most: int) -> list[str]:
    return ["".join(word) for size in range(most + 1) for word in product(letters, repeat=size)]


@cache
def _stands_for(pattern: str, text: str, *, one: str, gap: str) -> bool:
    """Whether a text is an instance of a pattern: `*` is any text, `one` any letter, `gap` any segments or none at all."""
    if not pattern:
        return not text
    if gap and pattern.startswith(gap):
        rest = pattern[len(gap) :]
        ends = [end for end in range(1, len(text) + 1) if text[0] == "/" and text[end - 1] == "/"]
        return any(_stands_for(rest, text[end:], one=one, gap=gap) for end in ends)
    if pattern[0] == "*":
        return any(_stands_for(pattern[1:], text[start:], one=one, gap=gap) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in (text[0], one) and _stands_for(pattern[1:], text[1:], one=one, gap=gap)


def test_string_like_is_any_text_for_a_star_and_one_letter_for_a_question_mark() -> None:
    for pattern, text in product(_words("ab*?", 4), _words("abc", 3)):
        assert fits(like_pattern(pattern) or (), text) is _stands_for(pattern, text, one="?", gap=""), (pattern, text)


def test_actions_match_by_the_plain_star_and_perhaps_without_a_segment() -> None:
    for pattern, text in product(_words("a/*", 5), _words("Ab/", 4)):
        folded, plain = text.casefold(), fits(action_pattern(pattern, optional_segments=False), text.casefold())
        loose = fits(action_pattern(pattern, optional_segments=True), folded)
        assert plain is _stands_for(pattern, folded, one="", gap=""), (pattern, text)
        assert loose is _stands_for(pattern, folded, one="", gap="/*/"), (pattern, text)
        assert (matches(pattern.upper(), text), may_match(pattern, text)) == (plain, loose), (pattern, text)


def test_an_escape_that_means_nothing_published_is_no_pattern() -> None:
    assert [like_pattern(text) for text in ("a\\b", "a\\", "\\\\")] == [None] * 3
    for text in ("*", "?"):
        escaped = like_pattern("\\" + text)
        assert escaped is not None
        assert [fits(escaped, other) for other in (text, "a", "\\" + text)] == [True, False, False]
