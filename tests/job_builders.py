"""Verification jobs: made, filled, started, waited for, and their results checked."""

import base64
import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.limits.quotas import Quotas
from gateway.limits.slots import Slots
from tests import reference_merkle
from tests.gateway_fixture import Caller, GatewayFixture
from tests.waiting import eventually

PATH: Final = "/v1/verifications/jobs"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GENEROUS: Final = Quotas(
    per_minute=1_000_000,
    per_day=1_000_000,
    per_enterprise_per_minute=100_000,
    distinct_enterprises_per_day=1_000_000,
)
TEMPLATE: Final = {
    "purpose": "merchant_review",
    "questions": [
        {"question": "is_active.v1"},
        {"question": "enterprise_name.v2", "column": "企业名称"},
        {"question": "rating_at_least.v1", "value": "良好"},
    ],
}
ENDED: Final = {"done", "stopped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """A result as it came: the answered lines, and the last line."""

    lines: Sequence[bytes]
    last: Mapping[str, Any]

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The answered lines."""
        return [orjson.loads(line) for line in self.lines]


@asynccontextmanager
async def every_turn(slots: Slots) -> AsyncIterator[None]:
    """All turns are taken inside the block: a runner waits."""
    async with AsyncExitStack() as stack:
        for _ in range(slots.turns):
            await stack.enter_async_context(slots.turn)
        yield


async def platform(gateway: GatewayFixture, quotas: Quotas = GENEROUS, **terms: Any) -> Caller:
    """A platform with these quotas."""
    return await gateway.client("platform", quotas=quotas, **terms)


async def made(caller: Caller, body: Mapping[str, Any] | None = None) -> str:
    """A new job's id."""
    response = await caller.send(PATH, dict(body or {}))
    assert response.status_code == 201, response.text
    return str(response.json()["job_id"])


async def put_lines(
    caller: Caller, job: str, body: bytes, content_type: str = NDJSON, **more: Any
) -> httpx2.Response:
    """Send a job's lines."""
    own = {"Content-Type": content_type, **more.pop("headers", {})}
    return await caller.send(f"{PATH}/{job}/lines", body, method="PUT", headers=own, **more)


async def act(caller: Caller, job: str, verb: str) -> httpx2.Response:
    """Start, pause or resume a job."""
    return await caller.send(f"{PATH}/{job}/{verb}", b"")


async def look(caller: Caller, job: str) -> dict[str, Any]:
    """A job as it is now."""
    response = await caller.send(f"{PATH}/{job}", b"", method="GET")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def started(
    caller: Caller,
    body: bytes,
    content_type: str = NDJSON,
    template: Mapping[str, Any] | None = None,
) -> str:
    """A new job with these lines, started."""
    job = await made(caller, template)
    taken = await put_lines(caller, job, body, content_type)
    assert taken.status_code == 200, taken.text
    begun = await act(caller, job, "start")
    assert begun.status_code == 200, begun.text
    return job


async def until(caller: Caller, job: str, *states: str) -> dict[str, Any]:
    """Wait until a job is in one of these states; it as it is then."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        nonlocal found
        found = await look(caller, job)
        return found["state"] in states

    await eventually(there)
    return found


async def result_of(caller: Caller, job: str, query: str = "") -> httpx2.Response:
    """A job's result as it came."""
    path = f"{PATH}/{job}/result"
    headers = await caller.headers("GET", path)
    http = caller.http or caller.gateway.http
    return await http.get(path + query, headers=headers)


def read_result(body: bytes) -> JobResult:
    """The lines of an NDJSON result."""
    *lines, last, rest = body.split(b"\n")
    assert rest == b""
    return JobResult(lines=lines, last=orjson.loads(last))


async def finished(caller: Caller, job: str) -> JobResult:
    """The result of a job once it has ended, its manifest verified."""
    await until(caller, job, *ENDED)
    response = await result_of(caller, job)
    assert response.status_code == 200, response.text
    found = read_result(response.content)
    verify_job_manifest(caller.gateway, job, found)
    return found


def verify_job_manifest(gateway: GatewayFixture, job: str, found: JobResult) -> None:
    """Assert that the manifest is signed and fits every line."""
    manifest = found.last["manifest"]
    assert manifest["batch_id"] == job
    assert manifest["lines"] == len(found.lines)
    assert manifest["root"] == reference_merkle.mth(list(found.lines)).hex()
    keys = gateway.runtime.keys.published()["keys"]
    jwk = next(each for each in keys if each["kid"] == found.last["keyid"])
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "=="))
    canonical = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    public.verify(base64.b64decode(found.last["signature"]), canonical)


def csv_file(rows: Sequence[Sequence[str]]) -> bytes:
    """A CSV file of these rows."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
