"""Many small questions to Microsoft Graph, 20 to a request, whatever their kinds."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import Any
from urllib.parse import quote

from kvaudit.clients.azure import BatchAnswer
from kvaudit.clients.failures import RETRYABLE_STATUSES, WITHOUT_TOKEN, ReadFailure, failure_of_answer
from kvaudit.clients.paging import Page
from kvaudit.clients.read_only import BATCH_LIMIT
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.directory import PRINCIPAL_PROPERTIES

_ROUNDS_OF_WAITING = 6
"""How often parts of a batch that Graph throttled, or failed on, are asked again."""

_LONGEST_PAUSE = 30.0
"""Seconds between two rounds at most."""

_HOST = "Microsoft Graph"

Found = dict[tuple[str, str], list[Any]]
"""Kind and scope of a listing -> its items, also of a part of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One part of a batch.

    Attributes:
        collector: what is read.
        scope: of the listing.
        whole: scope of the one gap that is told when the kind is refused altogether; None: each scope is told.
        is_object: whether the answer is one object and not a list; then 404 says that there is none.
        none_when: whether a refusal means that there are none of this kind in the tenant.
        refused: how Graph refused the question with the properties that principals have; it is asked without them now.
        doubt: why a list may be short although Graph answers it. What it holds is stored, and the listing is not finished.
    """

    collector: Collector[Any]
    scope: str
    whole: str | None = None
    is_object: bool = False
    none_when: Callable[[ReadFailure], bool] = lambda _: False
    refused: ReadFailure | None = None
    doubt: ReadFailure | None = None

    @property
    def kind(self) -> str:
        """The kind of record that is asked for."""
        return self.collector.kind

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the listing."""
        return self.kind, self.scope

    def plain(self, answer: BatchAnswer) -> "Question | None":
        """The question without the properties of principals, where Graph may not have taken those."""
        if answer.status != 400 or self.collector.query.get("$select") != PRINCIPAL_PROPERTIES:
            return None
        refused = failure_of_answer(answer.status, answer.body, host=_HOST)
        return replace(self, collector=self.collector.without_select(), refused=refused)

    @property
    def url(self) -> str:
        """The part's URL, relative to `/v1.0` as batches want it."""
        path = self.collector.path.replace("{scope}", self.scope).removeprefix("/v1.0")
        query = [f"{name}={quote(value, safe=_SAFE)}" for name, value in self.collector.query_at(self.scope).items()]
        return f"{path}?{'&'.join(query)}" if query else path


_SAFE = "/,():'$"


def portions(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items in portions of a size."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


async def ask(reading: Reading, questions: Iterable[Question]) -> Found:
    """Asks every question whose listing is not finished, and returns what is known of all of them.

    The first request goes alone: where every question of a kind in it is refused for want of a permission, the kind is
    closed, which is told once, and no more of it is asked in this run.
    """
    found: Found = {}
    todo: list[Question] = []
    for question in {item.key: item for item in questions}.values():
        if reading.is_finished(*question.key):
            found[question.key] = reading.writer.stored_items(*question.key)
        else:
            todo.append(question)
    for kind, number in Counter(question.kind for question in todo).items():
        reading.expect(kind, number)
    todo = _mixed(_without_closed(reading, todo))
    await _one_batch(reading, todo[:BATCH_LIMIT], found)
    rest = _without_closed(reading, todo[BATCH_LIMIT:])
    await together(_one_batch(reading, portion, found) for portion in portions(rest, BATCH_LIMIT))
    return found


def _mixed(questions: Iterable[Question]) -> list[Question]:
    """The questions with their kinds in turn, so that the first request tells which kinds are refused."""
    by_kind: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        by_kind[question.kind].append(question)
    return [item for turn in zip_longest(*by_kind.values()) for item in turn if item is not None]


def _without_closed(reading: Reading, questions: Sequence[Question]) -> list[Question]:
    """The questions that are still worth asking; the others are settled by what is known of their kind."""
    open_ones = []
    for question in questions:
        if question.kind in reading.absent_kinds:
            _finish(reading, question, [])
        elif question.kind in reading.closed_kinds:
            reading.done(question.kind)
        else:
            open_ones.append(question)
    return open_ones


async def _one_batch(reading: Reading, questions: Sequence[Question], found: Found) -> None:
    """Asks one request; parts that were throttled or failed are asked again after the wait that Graph names."""
    waiting = list(questions)
    answers: list[tuple[Question, BatchAnswer]] = []
    for attempt in range(_ROUNDS_OF_WAITING + 1):
        if not waiting:
            break
        try:
            async with reading.slot:
                batch = await reading.azure.graph_batch({str(index): item.url for index, item in enumerate(waiting)})
        except ReadFailure as problem:
            _failed(reading, waiting, problem)
            break
        again: list[Question] = []
        pause = 0.0
        for index, item in enumerate(waiting):
            # Graph may leave a part out of its answer when it is busy.
            answer = batch.get(str(index), BatchAnswer(503, None, None))
            plain = item.plain(answer)
            if plain is not None and attempt < _ROUNDS_OF_WAITING:
                again.append(plain)
            elif answer.status in RETRYABLE_STATUSES and attempt < _ROUNDS_OF_WAITING:
                again.append(item)
                pause = max(pause, min(answer.retry_after or 2.0**attempt, _LONGEST_PAUSE))
            else:
                answers.append((item, answer))
        waiting = again
        if waiting:
            await asyncio.sleep(min(pause, reading.azure.time_left()))
    await _take(reading, answers, found)


async def _take(reading: Reading, answers: Sequence[tuple[Question, BatchAnswer]], found: Found) -> None:
    """Stores the answers of one request, kind by kind."""
    by_kind: defaultdict[str, list[tuple[Question, BatchAnswer]]] = defaultdict(list)
    for question, answer in answers:
        by_kind[question.kind].append((question, answer))
    for kind, parts in by_kind.items():
        first, answer = parts[0]
        if first.whole is not None and all(part.status in {401, 403} for _, part in parts):
            _close(
                reading, [question for question, _ in parts], failure_of_answer(answer.status, answer.body, host=_HOST)
            )
            continue
        for question, part in parts:
            if part.status != 200 and question.none_when(failure_of_answer(part.status, part.body, host=_HOST)):
                reading.absent_kinds.add(kind)
                _finish(reading, question, [])
                found[question.key] = []
            else:
                found[question.key] = await _store(reading, question, part)


def _failed(reading: Reading, questions: Sequence[Question], problem: ReadFailure) -> None:
    """A whole request failed: a refusal closes the kinds in it that can be, everything else is told for each scope."""
    refused = problem.status in {401, 403} or problem.code == WITHOUT_TOKEN
    by_kind: defaultdict[str, list[Question]] = defaultdict(list)
    for question in questions:
        by_kind[question.kind].append(question)
    for parts in by_kind.values():
        if refused and parts[0].whole is not None:
            _close(reading, parts, problem)
            continue
        for question in parts:
            reading.gap(question.collector, question.scope, problem)
            reading.done(question.kind)


def _close(reading: Reading, questions: Sequence[Question], problem: ReadFailure) -> None:
    first = questions[0]
    if first.kind not in reading.closed_kinds:
        reading.closed_kinds.add(first.kind)
        reading.gap(first.collector, first.whole or first.scope, problem)
    reading.done(first.kind, len(questions))


def _finish(reading: Reading, question: Question, items: list[Any]) -> None:
    reading.writer.add_page(question.kind, question.scope, items)
    reading.writer.finish_listing(question.kind, question.scope, items=len(items), pages=1, asked_at=reading.now())
    reading.done(question.kind)


async def _store(reading: Reading, question: Question, answer: BatchAnswer) -> list[Any]:
    """Stores one answer: an object, or a list, of which the next links are followed."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if question.is_object and answer.status in {200, 404}:
        items = [answer.body] if answer.status == 200 else []
        _finish(reading, question, items)
        return items
    if answer.status != 200 or not isinstance(body.get("value"), list):
        refused = question.doubt if answer.status in {401, 403} else None
        problem = refused or failure_of_answer(answer.status, answer.body, host=_HOST)
        reading.gap(question.collector, question.scope, problem)
        reading.done(question.kind)
        return []

    if question.refused is not None:
        reading.plain(question.collector, question.scope, question.refused)

    async def pages() -> AsyncIterator[Page]:
        yield Page(body["value"])
        if body.get("@odata.nextLink") is not None:
            path = question.collector.path.replace("{scope}", question.scope)
            async for page in reading.azure.graph_pages(path, link=body["@odata.nextLink"]):
                yield page
        if question.doubt is not None:
            raise question.doubt

    return await reading.store(question.collector, question.scope, pages(), expected=True)
