"""The asyncio client: runs the flows of `_core` over `httpx2.AsyncClient`. It decides nothing itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Self, TypeVar, overload

import httpx2

from xinqiao._core.api import any_request, consent_flow, deletion, feed, queries, verification
from xinqiao._core.api import bundles as _bundles
from xinqiao._core.api import changes as _changes
from xinqiao._core.api import consents as _consents
from xinqiao._core.api import limits as _limits
from xinqiao._core.api import outcomes as _outcomes
from xinqiao._core.api import report_status as _report_status
from xinqiao._core.api import watches as _watches
from xinqiao._core.api.feed import AsyncCursorStore, CursorStore, FeedReader
from xinqiao._core.batch.reader import LARGEST_BATCH, LONGEST_WAIT, BatchReader, RowAsked
from xinqiao._core.connection import Connection
from xinqiao._core.evidence import receipts
from xinqiao._core.flow import (
    Close,
    Exclusive,
    Flow,
    Invoke,
    Open,
    OpenedAnswer,
    Pause,
    ReadPart,
    Send,
    Step,
)
from xinqiao._core.method_signature import copy_signature
from xinqiao.errors import ClientClosed, ConfigurationError

from ._core.wire.results import Change, Changes, QueryResult, Record
from ._jobs import AsyncJobs

if TYPE_CHECKING:
    from ._core.batch.results import RowResult
    from ._core.session import Session
    from ._core.wire.closed_lists import BundleName, Purpose
    from ._core.wire.questions import QuestionsAsked

P = ParamSpec("P")
T = TypeVar("T")


class AsyncQueryPage(QueryResult):
    """`QueryResult` as `AsyncClient.query` returns it: one page, with methods to read the pages that follow.

    It can be pickled and copied, without its client: `client.query(…, cursor=page.cursor)` then reads on.
    """

    __slots__ = ("_turn",)
    _turn: Callable[[], Awaitable[AsyncQueryPage]]

    async def next_page(self) -> AsyncQueryPage | None:
        """Read the page after this one, or return None after the last."""
        if self.last:
            return None
        if not hasattr(self, "_turn"):
            raise ConfigurationError(queries.DETACHED)
        return await self._turn()

    async def pages(self) -> AsyncIterator[AsyncQueryPage]:
        """Iterate over this page and all that follow."""
        page: AsyncQueryPage | None = self
        while page is not None:
            yield page
            page = await page.next_page()


def _async_method(
    flow: Callable[Concatenate[Session, P], Flow[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """Make a method of `AsyncClient` from a flow."""

    @copy_signature(flow)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(flow(self._session, *args, **kwargs))

    return method


def _paged_method(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, AsyncQueryPage]]:
    """Make a method that returns the first page."""

    @copy_signature(flow, returns="AsyncQueryPage")
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncQueryPage:
        return await self._page(flow(self._session, *args, **kwargs))

    return method


def _records_method(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[Record]]:
    """Make a method that iterates over the records of all pages."""

    @copy_signature(flow, returns="AsyncIterator[Record]")
    async def method(
        self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[Record]:
        first = await self._page(flow(self._session, *args, **kwargs))
        async for page in first.pages():
            for record in page.records:
                yield record

    return method


async def _invoke(function: Callable[[], Any]) -> Any:
    """Call a function in a thread, so that it may block; await what it returns, if that can be awaited."""
    outcome = await asyncio.to_thread(function)
    return await outcome if inspect.isawaitable(outcome) else outcome


class AsyncClient(Connection[httpx2.AsyncBaseTransport]):
    """asyncio client of the gateway. Share it among the tasks of one loop; use `async with`."""

    verify: Final = _async_method(verification.verify)
    query: Final = _paged_method(queries.query)
    query_all: Final = _records_method(queries.query)
    tell_outcome: Final = _async_method(_outcomes.tell_outcome)
    questions: Final = _async_method(verification.questions)
    bundles: Final = _async_method(_bundles.bundles)
    limits: Final = _async_method(_limits.limits)
    start_consent: Final = _async_method(consent_flow.start_consent)
    finish_consent: Final = _async_method(consent_flow.finish_consent)
    request_consent: Final = _async_method(_consents.request_consent)
    await_decision: Final = _async_method(_consents.await_decision)
    consent: Final = _async_method(_consents.consent)
    consents: Final = _async_method(_consents.consents)
    give_up_consent: Final = _async_method(_consents.give_up_consent)
    acknowledge_changes: Final = _async_method(_changes.acknowledge_changes)
    put_watch: Final = _async_method(_watches.put_watch)
    watch: Final = _async_method(_watches.watch)
    watches: Final = _async_method(_watches.watches)
    delete_watch: Final = _async_method(_watches.delete_watch)
    due_for_deletion: Final = _async_method(deletion.due_for_deletion)
    request: Final = _async_method(any_request.request)
    headers_for: Final = _async_method(any_request.headers_for)
    check_receipts: Final = _async_method(receipts.check_receipts)
    report_status: Final = _async_method(_report_status.report_status)

    @overload
    def changes(self, *, after: str | None = None) -> Coroutine[Any, Any, Changes]: ...

    @overload
    def changes(
        self, *, store: CursorStore | AsyncCursorStore, follow: bool = True
    ) -> AsyncIterator[Change]: ...

    def changes(
        self,
        *,
        after: str | None = None,
        store: CursorStore | AsyncCursorStore | None = None,
        follow: bool = True,
    ) -> Coroutine[Any, Any, Changes] | AsyncIterator[Change]:
        """Read this client's change feed: notice by notice with a `store`, else one page, to be awaited.

        As `Client.changes`, with `async for`. The store's methods may be awaited; others run in a thread. A
        loop that is cancelled, as by a time limit, ends; the next one goes on from its store.
        """
        if store is None:
            return self._run(_changes.changes(self._session, after=after))
        if after is not None:
            raise ConfigurationError(feed.TWO_CURSORS)
        return self._follow(FeedReader(store, follow))

    def verify_many(
        self,
        rows: Iterable[RowAsked] | AsyncIterable[RowAsked],
        *,
        purpose: Purpose,
        questions: QuestionsAsked = (),
        bundle: BundleName | None = None,
        idempotency_key: str | None = None,
        progress: Callable[[int], object] | None = None,
        longest_wait: float = LONGEST_WAIT,
        batch_size: int = LARGEST_BATCH,
    ) -> AsyncIterator[RowResult]:
        """Ask about many enterprises, as `Client.verify_many`, with `async for`; rows may be awaited too."""
        reader = BatchReader(
            rows=aiter(rows) if isinstance(rows, AsyncIterable) else iter(rows),
            purpose=purpose,
            questions=questions,
            bundle=bundle,
            idempotency_key=idempotency_key,
            progress=progress,
            longest_wait=longest_wait,
            batch_size=batch_size,
        )
        return self._results(reader)

    @property
    def jobs(self) -> AsyncJobs:
        """Verification jobs: up to a million lines, answered in the background."""
        return AsyncJobs(self._run_flow)

    async def _run_flow(self, flow: Callable[[Session], Flow[T]]) -> T:
        return await self._run(flow(self._session))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Use the client until the block ends."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.aclose()

    def _open(self, options: dict[str, Any]) -> None:
        self._lock = asyncio.Lock()
        self._http = httpx2.AsyncClient(**options)

    async def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    outcome = await self._do(step)
                except BaseException as error:  # noqa: BLE001 - the flow decides what it means, and closes
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                if self._http.is_closed:
                    raise ClientClosed
                return await self._http.send(request)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Exclusive(flow):
                async with self._lock:
                    return await self._run(flow)
            case Invoke(function):
                return await _invoke(function)
            case Open() | ReadPart() | Close():
                return await self._do_in_parts(step)

    async def _do_in_parts(self, step: Open | ReadPart | Close) -> Any:
        match step:
            case Open(request):
                return await self._open_answer(request)
            case ReadPart(answer):
                return await anext(answer.parts, None)
            case Close(answer):
                return await answer.response.aclose()

    async def _open_answer(self, request: httpx2.Request) -> OpenedAnswer:
        if self._http.is_closed:
            raise ClientClosed
        response = await self._http.send(request, stream=True)
        if not response.is_success:
            await response.aread()
        return OpenedAnswer(response, response.aiter_bytes())

    async def _page(self, flow: Flow[QueryResult]) -> AsyncQueryPage:
        result = await self._run(flow)
        page = AsyncQueryPage(**{each.name: getattr(result, each.name) for each in fields(result)})
        object.__setattr__(
            page, "_turn", lambda: self._page(queries.next_page(self._session, result))
        )
        return page

    async def _results(self, reader: BatchReader) -> AsyncIterator[RowResult]:
        while (results := await self._run(reader.next_results(self._session))) is not None:
            for result in results:
                yield result

    async def _follow(self, reader: FeedReader) -> AsyncIterator[Change]:
        while (notices := await self._run(reader.next_notices(self._session))) is not None:
            for notice in notices:
                yield notice
