"""`AsyncClient` drives the flows of `_core` with asyncio; it decides nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from xinqiao._core import calls, consent_flow, receipts
from xinqiao._core.connection import Connection
from xinqiao._core.flow import Alone, Flow, Pause, Send, Step
from xinqiao._core.method_signature import face_of

from ._core.results import Following, QueryResult, Record

if TYPE_CHECKING:
    from ._core.session import Session

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncQueryPage(QueryResult):
    """A page of records that knows how to turn itself."""

    _turn: Callable[[Following], Awaitable[AsyncQueryPage]] = field(repr=False, compare=False)

    async def next_page(self) -> AsyncQueryPage | None:
        """Read the page after this one, or return None after the last."""
        return None if self._following is None else await self._turn(self._following)

    async def pages(self) -> AsyncIterator[AsyncQueryPage]:
        """Go through this page and all that follow."""
        page: AsyncQueryPage | None = self
        while page is not None:
            yield page
            page = await page.next_page()


def _awaited(
    flow: Callable[Concatenate[Session, P], Flow[T]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]:
    """Make a method of `AsyncClient` from a flow."""

    @face_of(flow)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(flow(self._session, *args, **kwargs))

    return method


def _paged(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, AsyncQueryPage]]:
    """Make a method that returns the first page."""

    @face_of(flow, returns="AsyncQueryPage")
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncQueryPage:
        return await self._page(flow(self._session, *args, **kwargs))

    return method


def _each_record(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[Record]]:
    """Make a method that goes through the records of all pages."""

    @face_of(flow, returns="AsyncIterator[Record]")
    async def method(
        self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[Record]:
        first = await self._page(flow(self._session, *args, **kwargs))
        async for page in first.pages():
            for record in page.records:
                yield record

    return method


class AsyncClient(Connection[httpx2.AsyncBaseTransport]):
    """A client of the gateway for asyncio. Share it among tasks of one loop; use `async with`."""

    verify = _awaited(calls.verify)
    query = _paged(calls.query)
    query_all = _each_record(calls.query)
    questions = _awaited(calls.questions)
    start_consent = _awaited(consent_flow.start_consent)
    finish_consent = _awaited(consent_flow.finish_consent)
    request_consent = _awaited(calls.request_consent)
    await_decision = _awaited(calls.await_decision)
    consent = _awaited(calls.consent)
    consents = _awaited(calls.consents)
    give_up_consent = _awaited(calls.give_up_consent)
    request = _awaited(calls.request)
    headers_for = _awaited(calls.headers_for)
    check_receipts = _awaited(receipts.check_receipts)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Use the client until the block ends."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.aclose()

    def _open(
        self, transport: httpx2.AsyncBaseTransport | None, *, timeout: float, trust_env: bool
    ) -> None:
        self._lock = asyncio.Lock()
        self._http = httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=trust_env)

    async def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    outcome = await self._do(step)
                except Exception as error:  # noqa: BLE001 - the flow decides what an error means
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                return await self._http.send(request)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Alone(flow):
                async with self._lock:
                    return await self._run(flow)

    async def _page(self, flow: Flow[QueryResult]) -> AsyncQueryPage:
        result = await self._run(flow)
        values = {f.name: getattr(result, f.name) for f in fields(result)}
        return AsyncQueryPage(
            **values, _turn=lambda following: self._page(following(self._session))
        )
