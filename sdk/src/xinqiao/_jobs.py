"""`client.jobs`: verification jobs, for the blocking and the asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from xinqiao._core.api import job_results, jobs
from xinqiao._core.method_signature import copy_signature

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

    from ._core.session import Session

P = ParamSpec("P")
T = TypeVar("T")


class Run(Protocol):
    """Runs a flow over a client's session."""

    def __call__(self, flow: Callable[[Session], Flow[T]], /) -> T:
        """The flow's result."""


class AsyncRun(Protocol):
    """Runs a flow over an asynchronous client's session."""

    async def __call__(self, flow: Callable[[Session], Flow[T]], /) -> T:
        """The flow's result."""


def _blocking(
    flow: Callable[Concatenate[Session, P], Flow[T]],
) -> Callable[Concatenate[Jobs, P], T]:
    @copy_signature(flow)
    def method(self: Jobs, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(lambda session: flow(session, *args, **kwargs))

    return method


def _awaited(
    flow: Callable[Concatenate[Session, P], Flow[T]],
) -> Callable[Concatenate[AsyncJobs, P], Coroutine[Any, Any, T]]:
    @copy_signature(flow)
    async def method(self: AsyncJobs, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(lambda session: flow(session, *args, **kwargs))

    return method


class Jobs:
    """Verification jobs of a blocking client: up to a million lines, answered in the background."""

    def __init__(self, run: Run) -> None:
        self._run = run

    create: Final = _blocking(jobs.create)
    get: Final = _blocking(jobs.get)
    list: Final = _blocking(jobs.list_jobs)
    upload: Final = _blocking(jobs.upload)
    start: Final = _blocking(jobs.start)
    pause: Final = _blocking(jobs.pause)
    resume: Final = _blocking(jobs.resume)
    wait: Final = _blocking(jobs.wait)
    delete: Final = _blocking(jobs.delete)

    def results(self, job_id: str) -> Iterator[job_results.JobLine]:
        """Iterate over the lines of an ended job, in order, a page in memory at a time.

        Each page's signature is verified before its lines are given out, and the whole against the signed
        manifest before the last page's.
        """
        reader = job_results.ResultReader(job_id=job_id)
        while (found := self._run(reader.next_results)) is not None:
            yield from found


class AsyncJobs:
    """Verification jobs of an asynchronous client."""

    def __init__(self, run: AsyncRun) -> None:
        self._run = run

    create: Final = _awaited(jobs.create)
    get: Final = _awaited(jobs.get)
    list: Final = _awaited(jobs.list_jobs)
    upload: Final = _awaited(jobs.upload)
    start: Final = _awaited(jobs.start)
    pause: Final = _awaited(jobs.pause)
    resume: Final = _awaited(jobs.resume)
    wait: Final = _awaited(jobs.wait)
    delete: Final = _awaited(jobs.delete)

    async def results(self, job_id: str) -> AsyncIterator[job_results.JobLine]:
        """Iterate over the lines of an ended job, as `Jobs.results`, with `async for`."""
        reader = job_results.ResultReader(job_id=job_id)
        while (found := await self._run(reader.next_results)) is not None:
            for each in found:
                yield each
