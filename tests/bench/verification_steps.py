"""Steps of one verification in the worker: the gateway's own functions, timed one by one.

One call goes through all steps before the next begins, so that caches are as cold as when served.
CPU time is this process's: a statement's cost here, not in PostgreSQL.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.types import Message, Scope

from gateway.access.admission_control import admit
from gateway.access.answer_loop import AdmittedCall
from gateway.access.authentication import Caller, dpop_proof_of, read_credentials, verify_token
from gateway.access.http import body
from gateway.disclosure.commit import Committed, PendingDisclosure, commit
from gateway.runtime import Runtime
from gateway.signing.http_signatures import SignedRequest, signature_headers
from gateway.verifications.permission import VerificationCall
from gateway.verifications.read_query import VerificationInputs, read_inputs
from gateway.verifications.request import VerificationRequest, parse_request
from gateway.verifications.schemas import VerificationIn
from gateway.verifications.service import prepare_answer
from tests.bench.baseline import Baseline
from tests.bench.call_requests import Headers
from tests.bench.options import HOST

PATH: Final = "/v1/verifications"


@dataclass(slots=True)
class Call:
    """A verification in progress; each step stores what later steps need."""

    request: Request
    raw: bytes
    token: str = ""
    caller: Caller | None = None
    ask: VerificationRequest | None = None
    found: VerificationInputs | None = None
    telling: PendingDisclosure | None = None

    @classmethod
    def of(cls, headers: Headers, raw: bytes, app: FastAPI) -> "Call":
        """A call as the server passes it to the application."""
        return cls(request=Request(scope_of(headers, app, PATH)), raw=raw)


class ReceivedCall(Protocol):
    """A call as the server passes it to the application."""

    request: Request
    raw: bytes


C_contra = TypeVar("C_contra", contravariant=True)


class Step(Protocol[C_contra]):
    """One step of a call."""

    def __call__(self, call: C_contra, /) -> Awaitable[None] | None:
        """Run the step."""
        ...


C = TypeVar("C")
Spent = defaultdict[str, list[float]]  # CPU seconds, call by call


def scope_of(headers: Mapping[str, str], app: FastAPI, path: str) -> Scope:
    """ASGI scope of a POST to `path`."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": pairs,
        "server": (HOST, 80),
        "client": (HOST, 1),
        "app": app,
        "route": next(
            each.original_route
            for each in iter_route_contexts(app.router.routes)
            if each.path == path
        ),
        "state": {"headers": {}, "request_id": "bench"},
    }


async def timed(steps: Mapping[str, Step[C]], calls: Iterable[C], spent: Spent) -> None:
    """Run each call through all steps, adding each step's CPU time to `spent`."""
    for call in calls:
        for name, step in steps.items():
            before = time.process_time()
            if (waiting := step(call)) is not None:
                await waiting
            spent[name].append(time.process_time() - before)


def gateway_steps(runtime: Runtime) -> Mapping[str, Step[Call]]:
    """The gateway's steps, in the order of a request."""

    def token(call: Call) -> None:
        scheme, text = read_credentials(call.request)
        call.token = text or ""
        call.request.state.token = verify_token(scheme, call.token, runtime)

    def proof(call: Call) -> None:
        proven = dpop_proof_of(call.request, runtime, call.token)
        call.caller = Caller(token=call.request.state.token, proof=proven)

    def parse(call: Call) -> None:
        parsed = body.parse_body(call.request, call.raw, VerificationIn)
        assert isinstance(parsed, VerificationIn)
        asked = parse_request(parsed)
        assert isinstance(asked, VerificationRequest)
        call.ask = asked

    async def limits(call: Call) -> None:
        assert call.caller
        assert call.ask
        await admit(call.request, runtime, call.caller, uscc=call.ask.uscc, key=None)

    def admitted(caller: Caller, ask: VerificationRequest) -> VerificationCall:
        return AdmittedCall(runtime=runtime, caller=caller, request=ask, key=None)

    async def reading(call: Call) -> None:
        assert call.caller
        assert call.ask
        found = await read_inputs(admitted(call.caller, call.ask), runtime.now())
        assert isinstance(found, VerificationInputs)
        call.found = found

    def evaluate(call: Call) -> None:
        assert call.caller
        assert call.ask
        assert call.found
        asked = admitted(call.caller, call.ask)
        prepared = prepare_answer(asked, call.found, runtime.now())
        assert isinstance(prepared, PendingDisclosure)
        call.telling = prepared

    async def write(call: Call) -> None:
        assert call.telling
        assert isinstance(await commit(runtime.hot, call.telling), Committed)

    def sign(call: Call) -> None:
        assert call.telling
        now = runtime.now()
        signature_headers(
            SignedRequest(
                method="POST", target_uri=runtime.settings.issuer + PATH, content_digest=None
            ),
            status=200,
            content_type="application/json",
            body=call.telling.answer,
            signer=runtime.keys.current("response", now),
            created=int(now.timestamp()),
        )

    return {
        "access token, remembered": token,
        "DPoP proof": proof,
        "parse, check what is asked": parse,
        "replay and limits (Redis)": limits,
        "read statement": reading,
        "decide, evaluate, leaf, JSON": evaluate,
        "write statement": write,
        "sign": sign,
    }


def baseline_steps(baseline: Baseline) -> Mapping[str, Step[Call]]:
    """The baseline's five steps, named after the gateway's steps they correspond to."""

    def proof(call: Call) -> None:
        call.request.state.claims = baseline.verify(call.request.headers["dpop"])

    async def limits(call: Call) -> None:
        await baseline.first_seen(call.request.state.claims["jti"])

    async def reading(call: Call) -> None:
        assert call.ask
        await baseline.read(call.ask.uscc)

    async def write(call: Call) -> None:
        assert call.ask
        await baseline.write(call.request.state.claims["jti"], call.ask.uscc, call.raw)

    def sign(call: Call) -> None:
        baseline.sign(call.raw)

    return {
        "DPoP proof": proof,
        "replay and limits (Redis)": limits,
        "read statement": reading,
        "write statement": write,
        "sign": sign,
    }


def whole_application(app: FastAPI) -> Step[ReceivedCall]:
    """The whole application, from ASGI scope to answer, without its server."""

    async def serve(call: ReceivedCall) -> None:
        statuses: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": call.raw, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await app(call.request.scope, receive, send)
        assert statuses == [200], statuses

    return serve
