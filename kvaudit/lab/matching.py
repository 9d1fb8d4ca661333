"""Whether a permission string of a role covers an action."""

import re
from functools import lru_cache


@lru_cache(maxsize=20_000)
def _pattern(text: str, *, skip: bool) -> re.Pattern[str]:
    parts = re.escape(text.casefold()).split(r"\*")
    expression = ".*".join(parts)
    if skip:
        expression = expression.replace("/.*/", "/(?:.*/)?")
    return re.compile(expression, re.DOTALL)


def matches(pattern: str, action: str, *, skip: bool = False) -> bool:
    """Whether a pattern with `*` anywhere covers an action; `*` spans `/`, case does not matter (azure.md 2.1).

    Args:
        skip: whether `/*/` covers `/` too. Inferred from built-in roles for the control plane (Managed Identity Operator),
            never seen for data actions, so the evaluator asks for it on the control plane only.
    """
    return _pattern(pattern, skip=skip).fullmatch(action.casefold()) is not None
