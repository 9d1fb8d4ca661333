"""Several reads at once, of which none outlives the others."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def together(reads: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of coroutines that run at once, in order.

    The first exception cancels the others and is raised when they have ended: a full disk must not leave reads under way
    whose connections are closed under them. (`asyncio.gather` would; a task group alone raises a group.)
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read) for read in reads]
    except BaseExceptionGroup as problems:
        raise problems.exceptions[0] from None
    return [task.result() for task in tasks]
