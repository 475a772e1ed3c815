"""Builders for sources: a department with an agreement, its deliveries and acts."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx2

from tests.gateway_fixture import Caller, GatewayFixture
from tests.waiting import PATIENCE

SCOPE: Final = "records:write"
UPLOADS: Final = "/v1/records/uploads"
PART: Final = "application/offset+octet-stream"
DATASETS: Final = frozenset({"licence", "penalty", "public_rating", "tax_and_social"})


async def make_department(gateway: GatewayFixture, **terms: Any) -> Caller:
    """A source whose agreement names `DATASETS` unless `terms` change it."""
    return await gateway.client("source", **{"datasets": DATASETS, **terms})


def make_penalty(gateway: GatewayFixture, uscc: str, **changed: Any) -> dict[str, Any]:
    """A live public penalty with a new number."""
    decided = (gateway.clock() - timedelta(days=200)).date().isoformat()
    return {
        "uscc": uscc,
        "document_number": f"浙市监罚〔2026〕{secrets.randbelow(10**9)}号",
        "kinds": ["罚款"],
        "facts": "未按规定明码标价。",
        "fine": "12",
        "decided_on": decided,
        "appeal_state": "none",
        "authority": "某市场监督管理局（合成）",
        **changed,
    }


def make_act(record: Mapping[str, Any], action: str, **changed: Any) -> dict[str, Any]:
    """An act on a penalty."""
    return {
        "dataset": "penalty",
        "uscc": record["uscc"],
        "key": record["document_number"],
        "action": action,
        "reason": "信用修复决定",
        "decided_on": "2026-01-05",
        **changed,
    }


async def deliver(caller: Caller, dataset: str, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Deliver rows; their results."""
    response = await call_as_source(
        caller, "/v1/records", {"dataset": dataset, "records": list(rows)}
    )
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    assert [each["row"] for each in results] == list(range(len(rows)))
    return results


def reasons(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """Problems of a result by field and reason."""
    return [{name: each[name] for name in ("field", "reason")} for each in result["problems"]]


async def act(caller: Caller, *actions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Perform acts in one call; their results."""
    response = await call_as_source(caller, "/v1/records/actions", {"actions": list(actions)})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


async def approve(caller: Caller, action_id: str, *, operator: str) -> httpx2.Response:
    """Approve what waits for a second person."""
    path = f"/v1/records/actions/{action_id}/approve"
    return await call_as_source(caller, path, {"operator": operator})


async def call_as_source(
    caller: Caller, path: str, body: Mapping[str, Any] | bytes, **more: Any
) -> httpx2.Response:
    """Call the API as a department."""
    return await caller.send(path, body, scope=SCOPE, **more)


def lines(*rows: Mapping[str, Any]) -> bytes:
    """An NDJSON file."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def upload_headers(content: bytes, **said: str) -> dict[str, str | None]:
    """Headers of an upload creation."""
    told = {
        "dataset": "penalty",
        "filename": "penalties.ndjson",
        "sha256": hashlib.sha256(content).hexdigest(),
        **said,
    }
    pairs = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    return {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(content)),
        "Upload-Metadata": ",".join(pairs),
    }


async def create(caller: Caller, content: bytes, **said: str) -> str:
    """Create an upload; its path."""
    response = await call_as_source(caller, UPLOADS, b"", headers=upload_headers(content, **said))
    assert response.status_code == 201, response.text
    path = response.headers["Location"].removeprefix(caller.gateway.issuer)
    assert path.startswith(f"{UPLOADS}/upl_")
    return path


async def patch(
    caller: Caller, path: str, offset: int, part: bytes, **headers: str | None
) -> httpx2.Response:
    """Send a part."""
    return await caller.send(
        path,
        part,
        method="PATCH",
        scope=SCOPE,
        headers={
            "Tus-Resumable": "1.0.0",
            "Content-Type": PART,
            "Upload-Offset": str(offset),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


async def head(caller: Caller, path: str) -> httpx2.Response:
    """Ask for the upload's offset."""
    return await caller.send(
        path, b"", method="HEAD", scope=SCOPE, headers={"Tus-Resumable": "1.0.0"}
    )


async def get(caller: Caller, path: str, **headers: str) -> httpx2.Response:
    """GET as a department."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await caller.send(path, b"", method="GET", scope=SCOPE, headers=named)


async def upload(caller: Caller, content: bytes, **said: str) -> str:
    """Upload a whole file; its job's id."""
    path = await create(caller, content, **said)
    done = await patch(caller, path, 0, content)
    assert done.status_code == 204, done.text
    return path.rpartition("/")[2]


async def wait_for_job(caller: Caller, job_id: str) -> dict[str, Any]:
    """The job once it has finished."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        response = await get(caller, f"/v1/records/jobs/{job_id}")
        assert response.status_code == 200, response.text
        job: dict[str, Any] = response.json()
        if job["state"] in {"done", "stopped"}:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


async def forget(gateway: GatewayFixture) -> None:
    """Delete what test departments delivered."""
    for table in ("record", "enterprise"):
        await gateway.rows(f"DELETE FROM {table} WHERE source_id LIKE 'source-%'")  # noqa: S608  # constants
    for table in ("intake_upload", "intake_job"):
        await gateway.rows(f"DELETE FROM {table}")  # noqa: S608  # constants
