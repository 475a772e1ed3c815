"""The blocking client: runs the flows of `_core` over `httpx2.Client`. It decides nothing itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
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
from xinqiao._core.api.feed import CursorStore, FeedReader
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
from ._jobs import Jobs

if TYPE_CHECKING:
    from ._core.batch.results import RowResult
    from ._core.session import Session
    from ._core.wire.closed_lists import BundleName, Purpose
    from ._core.wire.questions import QuestionsAsked

P = ParamSpec("P")
T = TypeVar("T")


class QueryPage(QueryResult):
    """`QueryResult` as `Client.query` returns it: one page, with methods to read the pages that follow.

    It can be pickled and copied, without its client: `client.query(…, cursor=page.cursor)` then reads on.
    """

    __slots__ = ("_turn",)
    _turn: Callable[[], QueryPage]

    def next_page(self) -> QueryPage | None:
        """Read the page after this one, or return None after the last."""
        if self.last:
            return None
        if not hasattr(self, "_turn"):
            raise ConfigurationError(queries.DETACHED)
        return self._turn()

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

    verify: Final = _blocking_method(verification.verify)
    query: Final = _paged_method(queries.query)
    query_all: Final = _records_method(queries.query)
    tell_outcome: Final = _blocking_method(_outcomes.tell_outcome)
    questions: Final = _blocking_method(verification.questions)
    bundles: Final = _blocking_method(_bundles.bundles)
    limits: Final = _blocking_method(_limits.limits)
    start_consent: Final = _blocking_method(consent_flow.start_consent)
    finish_consent: Final = _blocking_method(consent_flow.finish_consent)
    request_consent: Final = _blocking_method(_consents.request_consent)
    await_decision: Final = _blocking_method(_consents.await_decision)
    consent: Final = _blocking_method(_consents.consent)
    consents: Final = _blocking_method(_consents.consents)
    give_up_consent: Final = _blocking_method(_consents.give_up_consent)
    acknowledge_changes: Final = _blocking_method(_changes.acknowledge_changes)
    put_watch: Final = _blocking_method(_watches.put_watch)
    watch: Final = _blocking_method(_watches.watch)
    watches: Final = _blocking_method(_watches.watches)
    delete_watch: Final = _blocking_method(_watches.delete_watch)
    due_for_deletion: Final = _blocking_method(deletion.due_for_deletion)
    request: Final = _blocking_method(any_request.request)
    headers_for: Final = _blocking_method(any_request.headers_for)
    check_receipts: Final = _blocking_method(receipts.check_receipts)
    report_status: Final = _blocking_method(_report_status.report_status)

    @overload
    def changes(self, *, after: str | None = None) -> Changes: ...

    @overload
    def changes(self, *, store: CursorStore, follow: bool = True) -> Iterator[Change]: ...

    def changes(
        self, *, after: str | None = None, store: CursorStore | None = None, follow: bool = True
    ) -> Changes | Iterator[Change]:
        """Read this client's change feed: notice by notice with a `store`, else one page.

        With a store (`FileCursor("feed.cursor")`) an iterator over the notices after its cursor, which waits
        for more at the end of the feed, or ends there without `follow`. What your loop has handled is
        acknowledged, and the cursor stored, page by page: each notice comes at least once, and the same
        `change_id` again after a crash. While it follows it outlasts outages, with warnings in the log, the
        last when it is back again: it pauses for 60 seconds at most, at a limit of the agreement for what
        its answer says, an hour at most. A second loop on the same store gets the same notices: run one.

        Without a store the page of at most 100 notices after the cursor `after`, or the first.
        """
        if store is None:
            return self._run(_changes.changes(self._session, after=after))
        if after is not None:
            raise ConfigurationError(feed.TWO_CURSORS)
        return self._follow(FeedReader(store, follow))

    def verify_many(
        self,
        rows: Iterable[RowAsked],
        *,
        purpose: Purpose,
        questions: QuestionsAsked = (),
        bundle: BundleName | None = None,
        idempotency_key: str | None = None,
        progress: Callable[[int], object] | None = None,
        longest_wait: float = LONGEST_WAIT,
        batch_size: int = LARGEST_BATCH,
    ) -> Iterator[RowResult]:
        """Ask about many enterprises, in batches of at most 10,000; their results in order.

        A row is a USCC, asked `questions` (or a `bundle`), or a pair of a USCC and its own questions. Rows
        are read, sent and given out batch by batch, each once its signed manifest has been verified; a batch
        that breaks off is taken up under its key, and what was answered costs nothing again. What does not
        fit a quota is waited for, up to `longest_wait` seconds at a time; beyond that it is a result with a
        `problem`, as is a row that is refused. `progress` is called with the number of rows answered so far.

        With an `idempotency_key` the same rows, given again within 24 hours, go on where they stopped, in
        whatever process. Raises what ends a batch: any `XinqiaoError`, whose `idempotency_key` is the key.
        """
        reader = BatchReader(
            rows=iter(rows),
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
    def jobs(self) -> Jobs:
        """Verification jobs: up to a million lines, answered in the background."""
        return Jobs(self._run_flow)

    def _run_flow(self, flow: Callable[[Session], Flow[T]]) -> T:
        return self._run(flow(self._session))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use the client until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    def _open(self, options: dict[str, Any]) -> None:
        self._options, self._process = options, os.getpid()
        self._lock = threading.Lock()
        self._http = httpx2.Client(**options)

    def _run(self, flow: Flow[T]) -> T:
        if self._process != os.getpid() and not self._http.is_closed:
            # Forked: the connections are the parent's, and the lock may be held for ever.
            self._open(self._options)
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except BaseException as error:  # noqa: BLE001 - the flow decides what it means, and closes
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                if self._http.is_closed:
                    raise ClientClosed
                return self._http.send(request)
            case Pause(seconds):
                return time.sleep(seconds)
            case Exclusive(flow):
                with self._lock:
                    return self._run(flow)
            case Invoke(function):
                return function()
            case Open() | ReadPart() | Close():
                return self._do_in_parts(step)

    def _do_in_parts(self, step: Open | ReadPart | Close) -> Any:
        match step:
            case Open(request):
                return self._open_answer(request)
            case ReadPart(answer):
                return next(answer.parts, None)
            case Close(answer):
                return answer.response.close()

    def _open_answer(self, request: httpx2.Request) -> OpenedAnswer:
        if self._http.is_closed:
            raise ClientClosed
        response = self._http.send(request, stream=True)
        if not response.is_success:
            response.read()
        return OpenedAnswer(response, response.iter_bytes())

    def _page(self, flow: Flow[QueryResult]) -> QueryPage:
        result = self._run(flow)
        page = QueryPage(**{each.name: getattr(result, each.name) for each in fields(result)})
        object.__setattr__(
            page, "_turn", lambda: self._page(queries.next_page(self._session, result))
        )
        return page

    def _results(self, reader: BatchReader) -> Iterator[RowResult]:
        while (results := self._run(reader.next_results(self._session))) is not None:
            yield from results

    def _follow(self, reader: FeedReader) -> Iterator[Change]:
        while (notices := self._run(reader.next_notices(self._session))) is not None:
            yield from notices
