"""Types that end-to-end tests share."""

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]
"""Runs the installed command: `run(*words, environment=None, timeout=90)` -> `code`, `out`, `err`."""
