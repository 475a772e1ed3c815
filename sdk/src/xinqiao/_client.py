"""The blocking client: runs the flows of `_core` over `httpx2.Client`. It decides nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from xinqiao._core import calls, consent_flow, deletion, receipts
from xinqiao._core.connection import Connection
from xinqiao._core.flow import Exclusive, Flow, Pause, Send, Step
from xinqiao._core.method_signature import copy_signature

from ._core.results import NextPage, QueryResult, Record

if TYPE_CHECKING:
    from ._core.session import Session

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPage(QueryResult):
    """One page of query results, with methods to read the pages that follow."""

    _turn: Callable[[NextPage], QueryPage] = field(repr=False, compare=False)

    def next_page(self) -> QueryPage | None:
        """Read the page after this one, or return None after the last."""
        return None if self._following is None else self._turn(self._following)

    def pages(self) -> Iterator[QueryPage]:
        """Iterate over this page and all that follow."""
        page: QueryPage | None = self
        while page is not None:
            yield page
            page = page.next_page()


def _blocking_method(
    flow: Callable[Concatenate[Session, P], Flow[T]],
) -> Callable[Concatenate[Client, P], T]:
    """Make a method of `Client` from a flow."""

    @copy_signature(flow)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(flow(self._session, *args, **kwargs))

    return method


def _paged_method(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[Client, P], QueryPage]:
    """Make a method that returns the first page."""

    @copy_signature(flow, returns="QueryPage")
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> QueryPage:
        return self._page(flow(self._session, *args, **kwargs))

    return method


def _records_method(
    flow: Callable[Concatenate[Session, P], Flow[QueryResult]],
) -> Callable[Concatenate[Client, P], Iterator[Record]]:
    """Make a method that iterates over the records of all pages."""

    @copy_signature(flow, returns="Iterator[Record]")
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Record]:
        for page in self._page(flow(self._session, *args, **kwargs)).pages():
            yield from page.records

    return method


class Client(Connection[httpx2.BaseTransport]):
    """Blocking client of the gateway. Thread-safe; close it, or use it in `with`."""

    verify = _blocking_method(calls.verify)
    query = _paged_method(calls.query)
    query_all = _records_method(calls.query)
    questions = _blocking_method(calls.questions)
    start_consent = _blocking_method(consent_flow.start_consent)
    finish_consent = _blocking_method(consent_flow.finish_consent)
    request_consent = _blocking_method(calls.request_consent)
    await_decision = _blocking_method(calls.await_decision)
    consent = _blocking_method(calls.consent)
    consents = _blocking_method(calls.consents)
    give_up_consent = _blocking_method(calls.give_up_consent)
    changes = _blocking_method(calls.changes)
    acknowledge_changes = _blocking_method(calls.acknowledge_changes)
    due_for_deletion = _blocking_method(deletion.due_for_deletion)
    request = _blocking_method(calls.request)
    headers_for = _blocking_method(calls.headers_for)
    check_receipts = _blocking_method(receipts.check_receipts)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use the client until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    def _open(
        self, transport: httpx2.BaseTransport | None, *, timeout: float, trust_env: bool
    ) -> None:
        self._lock = threading.Lock()
        self._http = httpx2.Client(transport=transport, timeout=timeout, trust_env=trust_env)

    def _run(self, flow: Flow[T]) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except Exception as error:  # noqa: BLE001 - the flow decides what an error means
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                return self._http.send(request)
            case Pause(seconds):
                return time.sleep(seconds)
            case Exclusive(flow):
                with self._lock:
                    return self._run(flow)

    def _page(self, flow: Flow[QueryResult]) -> QueryPage:
        result = self._run(flow)
        values = {f.name: getattr(result, f.name) for f in fields(result)}
        return QueryPage(**values, _turn=lambda following: self._page(following(self._session)))
