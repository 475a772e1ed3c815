"""Outages and faults that a test injects into the answers of its fake gateway."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import httpx2

from xinqiao._core.wire.closed_lists import DATASETS
from xinqiao.testing._endpoints.resource_server import FakeResourceServer
from xinqiao.testing._endpoints.signing import ResponseSigner, json_response, problem
from xinqiao.testing._rules.published import OAUTH_ERRORS, OAUTH_STATUSES, PROBLEMS
from xinqiao.testing._rules.setup_checks import (
    FakeSetupError,
    each_known,
    flag,
    known,
    optional,
    whole,
)
from xinqiao.testing._state.transparency_log import FakeLog

from .faults import TAMPERINGS, Part, Tampering

#: Endpoints that can fail: `discovery` are metadata and keys, `log` are receipts.
Endpoint: TypeAlias = Literal["api", "token", "par", "log", "discovery"]
_UNSIGNED: Final = frozenset({"token", "par", "discovery"})
_MOST_TIMES, _LONGEST_WAIT = 1_000_000, 999_999_999

#: From the request and its correct answer to the answer that is sent instead.
Fault: TypeAlias = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault of one call to come, which is carried out all the same, or not."""

    fault: Fault
    processed: bool = True


class FakeOutages:
    """The part of a `FakeGateway` that fails: by default in the next calls of /v1, or of another `endpoint`.

    Raises `FakeSetupError` for what the real gateway never answers.
    """

    _resources: FakeResourceServer
    _log: FakeLog
    _faults: dict[Endpoint, deque[PlannedFault]]
    signer: ResponseSigner

    @property
    def now(self) -> int:
        """The gateway's time."""
        raise NotImplementedError

    def _signed(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        raise NotImplementedError

    def take_offline(self, *datasets: str) -> None:
        """Let the sources of these datasets be unavailable from now on; of none, let all be back."""
        self._resources.unavailable = set(each_known(datasets, DATASETS, "dataset"))

    def refuse(
        self,
        status: int,
        code: str,
        *,
        retry_after: int | None = None,
        times: int = 1,
        endpoint: Endpoint = "api",
    ) -> None:
        """Refuse the next calls with this problem, signed; at `token` and `par` with an OAuth error.

        `code` is one that the gateway has, and `status` that code's; `answer_with` sends any other answer.
        They are not carried out: no use of a consent is spent, no code is redeemed, no key is pinned. One
        call of a client makes up to 1 + `retry.retries` requests (1 + 3), and each counts in `times`.
        """
        _check_refusal(status, code, endpoint)
        optional(lambda value: whole(value, "number of seconds", least=0, most=_LONGEST_WAIT))(
            retry_after
        )

        def fault(request: httpx2.Request, _: httpx2.Response) -> httpx2.Response:
            if endpoint in _UNSIGNED:
                return _oauth_error(status, code, retry_after)
            return self._signed(request, problem(status, code, retry_after=retry_after))

        self._plan(fault, times, endpoint, processed=False)

    def break_down(
        self,
        status: int = 502,
        *,
        times: int = 1,
        endpoint: Endpoint = "api",
        processed: bool = False,
    ) -> None:
        """Answer the next calls unsigned, as a proxy in front of the gateway.

        They do not reach the gateway; with `processed` they were carried out, and only the answer is lost.
        """
        whole(status, "status of a failure", least=400, most=599)

        def fault(_: httpx2.Request, __: httpx2.Response) -> httpx2.Response:
            return httpx2.Response(status, text="Bad gateway")

        self._plan(fault, times, endpoint, processed=processed)

    def disconnect(self, *, times: int = 1, endpoint: Endpoint = "api") -> None:
        """Carry the next calls out, but lose the answers."""

        def fault(request: httpx2.Request, _: httpx2.Response) -> httpx2.Response:
            raise httpx2.ReadError("The connection was lost.", request=request)

        self._plan(fault, times, endpoint)

    def answer_with(self, fault: Fault, *, times: int = 1, endpoint: Endpoint = "api") -> None:
        """Carry the next calls out, and send what `fault` makes of their answers."""
        if not callable(fault):
            raise FakeSetupError(f"{fault!r} is no function of a request and its answer.")
        self._plan(fault, times, endpoint)

    def tamper(self, part: Part, *, times: int = 1) -> None:
        """Forge this part of the next answers of /v1."""
        known(part, get_args(Part), "part to tamper with")

        def fault(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
            made = Tampering(signer=self.signer, now=self.now, request=request, response=response)
            return TAMPERINGS[part](made)

        self._plan(fault, times, "api")

    def leave_out_leaf(self, *, times: int = 1) -> None:
        """Promise the next leaves, but leave them out of the log."""
        self._log.left_out += whole(times, "number of times", least=1, most=_MOST_TIMES)

    def recover(self) -> None:
        """End every outage: no fault is left to come, and all sources are back."""
        self._faults.clear()
        self._log.left_out = 0
        self._resources.unavailable = set()

    def _plan(
        self, fault: Fault, times: int, endpoint: Endpoint, *, processed: bool = True
    ) -> None:
        known(endpoint, get_args(Endpoint), "endpoint")
        flag(processed, "processed")
        whole(times, "number of times", least=1, most=_MOST_TIMES)
        self._faults[endpoint].extend([PlannedFault(fault, processed)] * times)


def _check_refusal(status: int, code: str, endpoint: Endpoint) -> None:
    """Only what the endpoint can answer with; an unknown endpoint is refused elsewhere."""
    if endpoint in _UNSIGNED:
        possible = OAUTH_STATUSES[known(code, OAUTH_STATUSES, "error of OAuth")]
    else:
        possible = (PROBLEMS[known(code, PROBLEMS, "code of a problem")]["status"],)
    if type(status) is not int or status not in possible:
        likely = " or ".join(map(str, possible))
        raise FakeSetupError(f"{status!r} is not the status of {code}; that is {likely}.")


def _oauth_error(status: int, code: str, retry_after: int | None) -> httpx2.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    told = {"error_description": OAUTH_ERRORS[code]} if code in OAUTH_ERRORS else {}
    return json_response(status, {"error": code, **told}, headers=headers)
