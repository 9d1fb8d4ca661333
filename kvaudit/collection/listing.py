"""One listing: its pages into the snapshot, or a gap."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import WITHOUT_TOKEN, ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.request import Progress
from kvaudit.collection.slim import slim
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.directory import PRINCIPAL_DETAILS
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.model.kinds import kind_words
from kvaudit.snapshot.layout import ListingKey, listing_key
from kvaudit.snapshot.writer import SnapshotWriter

Answer = TypeVar("Answer")

CONCURRENT_READS = 24
"""Listings under way together: below the client's connections to one host, so that none waits for a connection.
Resource Manager's bucket holds 250 reads and refills 25 a second (facts azure.md 2.7)."""


_NOT_OFFERED = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound", "InvalidResourceType"})
"""Codes of Resource Manager for an api-version or type that a cloud does not have (yet)."""


def is_not_offered(problem: ReadFailure) -> bool:
    """Whether an api-version is not offered in this cloud."""
    return problem.status in {400, 404} and problem.code in _NOT_OFFERED


class Reading:
    """What all parts of a collection share.

    Args:
        azure: reads.
        writer: takes what was read.
        progress: is told what was done.
        now: the time, ISO 8601.

    Attributes:
        failed_kinds: kinds of which a listing failed.
        refused_kinds: kinds of which a listing failed for want of a permission or token.
        forbidden_kinds: those of them that a permission would open.
        closed_kinds: kinds that the directory refuses altogether: told once, and not asked again in this run.
        absent_kinds: kinds that the tenant cannot have (no licence): what is not asked of them is empty.
        plain_kinds: kinds that the directory answers only when no properties are asked for by name.
        refused_at: folded scope -> collectors whose listing there was refused, or of which the subscription was gone.
    """

    def __init__(self, azure: Azure, writer: SnapshotWriter, progress: Progress, now: Callable[[], str]) -> None:
        self.azure = azure
        self.writer = writer
        self.now = now
        self._progress = progress
        self._slots = asyncio.Semaphore(CONCURRENT_READS)
        self._totals: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self.failed_kinds: set[str] = set()
        self.refused_kinds: set[str] = set()
        self.forbidden_kinds: set[str] = set()
        self.closed_kinds: set[str] = set()
        self.absent_kinds: set[str] = set()
        self.plain_kinds: set[str] = set()
        self.refused_at: dict[str, list[Collector[Any]]] = {}
        self._offered: dict[str, int] = {}  # kind -> place of the api-version in use among the collector's
        self._remembered: dict[ListingKey, list[Any]] = {}
        self._failed: set[ListingKey] = set()

    @property
    def slot(self) -> AbstractAsyncContextManager[None]:
        """A place among the reads that are under way together."""
        return self._slots

    def is_finished(self, kind: str, scope: str) -> bool:
        """Whether this listing was read to its end, by this run or an earlier one."""
        return self.writer.is_finished(kind, scope)

    def remember(self, kind: str, scope: str, items: list[Any]) -> None:
        """Keeps what later parts need of a listing's items, so that they are not read from the disk again."""
        self._remembered[listing_key(kind, scope)] = items

    def recall(self, kind: str, scope: str) -> list[Any] | None:
        """The items of a finished listing; None when it is not finished."""
        key = listing_key(kind, scope)
        if key not in self._remembered and self.is_finished(kind, scope):
            self._remembered[key] = [slim(kind, item) for item in self.writer.stored_items(kind, scope)]
        return self._remembered.get(key)

    def expect(self, kind: str, listings: int) -> None:
        """Tells that so many listings of a kind will be read."""
        self._totals[kind] += listings
        self._progress(kind, self._done[kind], self._totals[kind])

    def done(self, kind: str, listings: int = 1) -> None:
        """Tells that listings of a kind are read, or have failed."""
        self._done[kind] += listings
        self._progress(kind, self._done[kind], self._totals[kind])

    async def list_arm(
        self,
        collector: Collector[Any],
        scope: str,
        *,
        keep: Callable[[Any], bool] = lambda _: True,
        none_when: Callable[[ReadFailure], bool] = lambda _: False,
        raise_when: Callable[[ReadFailure], bool] = lambda _: False,
    ) -> list[Any]:
        """Reads a Resource Manager listing into the snapshot and returns what was kept of it, also of a part.

        Args:
            collector: what to read.
            scope: folded or as Azure sent it; goes into the path.
            keep: which items are stored.
            none_when: see `store`.
            raise_when: see `store`.
        """
        pages = self.arm_pages(collector, scope)
        return await self.store(collector, scope, pages, keep=keep, none_when=none_when, raise_when=raise_when)

    async def arm_pages(self, collector: Collector[Any], scope: str) -> AsyncIterator[Page]:
        """Pages of a Resource Manager listing, by the newest of the collector's api-versions that the cloud offers.

        Raises:
            ReadFailure: a page failed.
        """
        path = collector.path.replace("{scope}", "" if scope == "/" else scope)

        async def first(version: str) -> tuple[Page | None, AsyncIterator[Page]]:
            pages = self.azure.arm_pages(path, api_version=version, query=collector.query_at(scope))
            return await anext(pages, None), pages

        page, following = await self._by_version(collector, first)
        if page is not None:
            yield page
        async for page in following:
            yield page

    async def _by_version(self, collector: Collector[Any], ask: Callable[[str], Awaitable[Answer]]) -> Answer:
        """What is answered in the newest api-version that the cloud offers, which is remembered for the kind."""
        versions = (collector.api_version or "", *collector.older)
        for number, version in enumerate(versions):
            if number < self._offered.get(collector.kind, 0):
                continue  # another listing of the kind has found that out
            try:
                return await ask(version)
            except ReadFailure as problem:
                if version == versions[-1] or not is_not_offered(problem):
                    raise
            self._offered[collector.kind] = max(number + 1, self._offered.get(collector.kind, 0))
        raise AssertionError("the last version was asked or raised")

    async def get_arm(
        self, collector: Collector[Any], scope: str, *, none_when: Callable[[ReadFailure], bool] = lambda _: False
    ) -> list[Any]:
        """Reads one Resource Manager object into the snapshot, as a listing of one.

        Args:
            collector: what to read.
            scope: goes into the path.
            none_when: see `store`.
        """

        async def pages() -> AsyncIterator[Page]:
            path = collector.path.replace("{scope}", scope)
            yield Page(
                [await self._by_version(collector, lambda version: self.azure.arm_get(path, api_version=version))]
            )

        return await self.store(collector, scope, pages(), none_when=none_when)

    async def store(
        self,
        collector: Collector[Any],
        scope: str,
        pages: AsyncIterator[Page],
        *,
        keep: Callable[[Any], bool] = lambda _: True,
        expected: bool = False,
        none_when: Callable[[ReadFailure], bool] = lambda _: False,
        raise_when: Callable[[ReadFailure], bool] = lambda _: False,
    ) -> list[Any]:
        """Stores the pages of a listing and finishes it; a failure becomes a gap and keeps what came before it.

        Args:
            collector: what is read.
            scope: of the listing.
            pages: its pages.
            keep: which items are stored.
            expected: whether `expect` was told already.
            none_when: whether a failure is an answer that means "there are none".
            raise_when: whether a failure is the caller's to deal with: it is raised, and no gap is noted.
        """
        if not expected:
            self.expect(collector.kind, 1)
        key = listing_key(collector.kind, scope)
        if key in self._failed:  # told already: the same question would have the same answer
            self.done(collector.kind)
            return self._remembered.pop(key, [])
        if self.is_finished(collector.kind, scope):
            self.done(collector.kind)
            items = self._remembered.pop(key, None)
            return self.writer.stored_items(collector.kind, scope) if items is None else items
        kept: list[Any] = []
        count = 0
        number = 0
        try:
            async with self._slots:
                async for page in pages:
                    number += 1
                    count += len(page.items)
                    items = [item for item in page.items if keep(item)]
                    kept.extend(items)
                    self.writer.add_page(collector.kind, scope, items)
        except ReadFailure as problem:
            if raise_when(problem):
                self.done(collector.kind)
                raise
            if not none_when(problem):
                self.gap(collector, scope, problem)
                self.done(collector.kind)
                return kept
        versions = (collector.api_version, *collector.older)
        version = versions[self._offered.get(collector.kind, 0)] if collector.older else collector.api_version
        self.writer.finish_listing(
            collector.kind, scope, items=count, pages=number, api_version=version, asked_at=self.now()
        )
        self.done(collector.kind)
        return kept

    def plain(self, collector: Collector[Any], scope: str, refused: ReadFailure) -> None:
        """Notes, once a kind, that the directory answered without the properties that were asked for by name."""
        if collector.kind in self.plain_kinds:
            return
        self.plain_kinds.add(collector.kind)
        self.writer.add_gap(
            Gap(
                PRINCIPAL_DETAILS,
                scope,
                f"Microsoft Graph did not take $select for {kind_words(collector.kind)}; whether such an account is disabled "
                "or a guest's is not known",
                status=refused.status,
                code=refused.code,
                asked_at=self.now(),
            )
        )

    def gap(self, collector: Collector[Any], scope: str, problem: ReadFailure) -> None:
        """Notes a read that failed."""
        self.failed_kinds.add(collector.kind)
        self._failed.add(listing_key(collector.kind, scope))
        if problem.status in {401, 403} or problem.code == WITHOUT_TOKEN:
            self.refused_kinds.add(collector.kind)
        if problem.status == 403 or problem.code == "SubscriptionNotFound":
            self.refused_at.setdefault(scopes.fold(scope), []).append(collector)
        if problem.status == 403:
            self.forbidden_kinds.add(collector.kind)
        self.writer.add_gap(
            Gap(
                kind=collector.kind,
                scope=scope,
                reason=problem.reason,
                status=problem.status,
                code=problem.code,
                # Only a refusal is closed by a right: an ended token, a vault that is gone or an outage is not.
                permission=(" and ".join(collector.requires) or None) if problem.status == 403 else None,
                retryable=problem.retryable,
                asked_at=self.now(),
            )
        )
