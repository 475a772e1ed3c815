"""`client.jobs` against the real gateway, with both clients: a file in, a verified result out."""

import csv
from collections.abc import AsyncIterator
from inspect import isawaitable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.job_builders import TEMPLATE, platform
from tests.sdk_builders import client_of
from xinqiao import AsyncClient, Client, Job, JobLine, errors

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (
    '{"enterprise": {"uscc": "%s"}, "purpose": "merchant_review",'
    ' "questions": [{"question": "is_active.v1"}]}\n'
)
KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])


async def outcome(found: Any) -> Any:
    """The outcome of a method of either client."""
    return await found if isawaitable(found) else found


async def lines_of(found: Any) -> list[JobLine]:
    """All lines of a result of either client."""
    if isinstance(found, AsyncIterator):
        return [each async for each in found]
    return list(found)


def written(folder: Path, rows: list[list[str]]) -> Path:
    """A CSV file of these rows."""
    path = folder / "merchants.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@KINDS
async def test_a_file_is_answered_collected_and_deleted(
    served: GatewayFixture, tmp_path: Path, kind: type[Client | AsyncClient]
) -> None:
    """Its broken line has a problem; the proof of deletion is kept with the job."""
    client = client_of(await platform(served), kind)
    some = [each.enterprise for each in served.entities[:12]]
    rows = [["uscc", "企业名称"], *([each.uscc, each.name] for each in some), ["?", "x"]]
    job: Job = await outcome(client.jobs.create(**TEMPLATE))
    taken = await outcome(client.jobs.upload(job.job_id, written(tmp_path, rows)))
    assert (taken.lines, taken.broken) == (13, 1)
    assert taken.first_broken[13].code == "invalid_uscc"
    await outcome(client.jobs.start(job.job_id))
    looks: list[Job] = []
    done: Job = await outcome(client.jobs.wait(job.job_id, progress=looks.append))
    assert (done.state, done.answered, looks[-1]) == ("done", 13, done)
    found = await lines_of(client.jobs.results(job.job_id))
    assert [each.line for each in found] == list(range(1, 14))
    assert [each.uscc for each in found] == [*(each.uscc for each in some), None]
    assert all(each["enterprise_name.v2"].yes for each in found[:12])
    assert found[12].problem is not None
    gone: Job = await outcome(client.jobs.delete(job.job_id))
    assert gone.state == "deleted"
    assert gone.deletion is not None
    assert {each.job_id for each in await outcome(client.jobs.list())} == {job.job_id}


class OtherLine(httpx2.HTTPTransport):
    """The network, with one result's answer changed."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Forward the request."""
        response = super().handle_request(request)
        if not request.url.path.endswith("/result"):
            return response
        body = response.read().replace(b'"yes"', b'"no" ', 1)
        return httpx2.Response(response.status_code, headers=response.headers, content=body)


async def test_a_result_that_was_changed_is_not_given_out(served: GatewayFixture) -> None:
    """Not one line of it."""
    client = client_of(await platform(served), Client, transport=OtherLine())
    line = LINE
    body = "".join(line % each.enterprise.uscc for each in served.entities[:20]).encode()
    job = client.jobs.create().job_id
    client.jobs.upload(job, body, content_type="application/x-ndjson")
    client.jobs.start(job)
    client.jobs.wait(job)
    with pytest.raises(errors.SignatureInvalid):
        list(client.jobs.results(job))


async def test_a_paused_job_is_handed_back_and_another_clients_is_not_there(
    served: GatewayFixture,
) -> None:
    """`wait` returns a job that its client has paused."""
    client: Client = client_of(await platform(served), Client)
    other: Client = client_of(await platform(served), Client)
    job = client.jobs.create().job_id
    line = LINE
    client.jobs.upload(job, (line % UNKNOWN).encode(), content_type="application/x-ndjson")
    assert client.jobs.wait(job).state == "ready"
    with pytest.raises(errors.NotFound):
        other.jobs.get(job)
    with pytest.raises(errors.ConfigurationError):
        client.jobs.upload(job, b"")
