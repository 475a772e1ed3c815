"""Attacks on verification jobs, each by valid credentials and for a goal of its own."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

import pytest
from fastapi import Request
from starlette.types import Message

from gateway.limits.slots import Slots
from gateway.verifications.jobs import client_store
from gateway.verifications.jobs.receive_lines import arriving_blocks
from gateway.verifications.jobs.xlsx_writer import XlsxWriter
from tests.batch_builders import batch_body, batch_line
from tests.gateway_fixture import GatewayFixture, open_gateway
from tests.job_builders import (
    CSV,
    GENEROUS,
    PATH,
    TEMPLATE,
    XLSX,
    act,
    csv_file,
    finished,
    look,
    made,
    platform,
    put_lines,
    result_of,
    started,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_another_clients_job_is_as_one_that_is_not_there(gateway: GatewayFixture) -> None:
    """Every address of it, byte for byte but for ids and times; its owner notices nothing."""
    owner, other = await platform(gateway), await platform(gateway)
    job = await started(owner, batch_line(1, gateway.uscc(), "is_active.v1"))
    await until(owner, job, "done")
    missing = "vjb_" + "a" * 26
    calls = [("GET", ""), ("DELETE", ""), ("GET", "/result")]
    calls += [("POST", f"/{verb}") for verb in ("start", "pause", "resume")]
    for method, rest in calls:
        found = [
            (await other.send(f"{PATH}/{each}{rest}", b"", method=method))
            for each in (job, missing)
        ]
        assert [each.status_code for each in found] == [404, 404], rest
        assert len({each.json()["detail"] for each in found}) == 1
    put = await put_lines(other, job, batch_line(1, gateway.uscc(), "is_active.v1"))
    assert put.status_code == 404
    assert (await other.send(PATH, b"", method="GET")).json() == {"jobs": []}
    assert (await look(owner, job))["state"] == "done"


async def test_a_job_reads_no_name_by_guessing_in_lines(gateway: GatewayFixture) -> None:
    """Thirty names for one firm: three are judged, as in calls; the others are not determined."""
    caller = await platform(gateway)
    entity = gateway.entities[40].enterprise
    lines = [
        batch_line(n, entity.uscc, ("enterprise_name.v2", f"杭州猜测第{n}次有限公司"))
        for n in range(1, 31)
    ]
    lines.append(batch_line(31, entity.uscc, ("enterprise_name.v2", entity.name)))
    job = await started(caller, batch_body(lines))
    found = (await finished(caller, job)).documents
    told = [each["answers"][0]["answer"] for each in found]
    assert told == ["no"] * 3 + ["not_determined"] * 28
    single = await caller.answers(
        entity.uscc, ("enterprise_name.v2", entity.name), purpose="merchant_review"
    )
    assert single == ["not_determined"]


async def test_jobs_are_no_way_around_a_quota(postgres_url: str) -> None:
    """Several at once share the client's distinct enterprises of the day, which one worker counts here."""
    async with open_gateway(postgres_url) as gateway:
        caller = await platform(gateway, replace(GENEROUS, distinct_enterprises_per_day=4))
        usccs = [each.enterprise.uscc for each in gateway.entities[:12]]
        jobs = []
        for first in (0, 4, 8):
            some = usccs[first : first + 4]
            lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(some, 1)]
            jobs.append(await started(caller, batch_body(lines)))
        for job in jobs:
            await until(caller, job, "paused", "done")
        log = await gateway.log_of(caller)
    assert len({row["uscc"] for row in log if row["outcome"] == "told"}) == 4


async def test_a_line_outside_the_agreement_is_refused_and_logged(gateway: GatewayFixture) -> None:
    """The lines of a job are held to the agreement as calls are, whatever the job says."""
    caller = await platform(gateway)
    uscc = gateway.uscc()
    lines = [
        batch_line(1, uscc, "is_active.v1", purpose="tender"),
        batch_line(2, uscc, "is_active.v1"),
    ]
    found = (await finished(caller, await started(caller, batch_body(lines)))).documents
    assert found[0]["problem"]["code"] == "not_in_agreement"
    assert "answers" in found[1]
    assert [row["outcome"] for row in await gateway.log_of(caller)].count("refused") == 1


async def test_a_client_fills_no_disk_with_jobs(gateway: GatewayFixture) -> None:
    """Beyond twenty jobs none is made, until one is deleted."""
    caller = await platform(gateway)
    jobs = [await made(caller) for _ in range(client_store.MAX_JOBS)]
    full = await caller.send(PATH, {})
    assert (full.status_code, full.json()["code"]) == (429, "quota_exhausted")
    await caller.send(f"{PATH}/{jobs[0]}", b"", method="DELETE")
    await made(caller)


async def test_a_bomb_in_a_workbook_is_refused_and_nothing_is_kept(gateway: GatewayFixture) -> None:
    """A part that unpacks to gigabytes; a ZIP that is no workbook; a workbook cut in the middle."""
    caller = await platform(gateway)
    job = await made(caller, TEMPLATE)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1100):
                sheet.write(bytes(1 << 20))
    bomb = packed.getvalue()
    for body in (bomb, bomb[: len(bomb) // 2], b"PK\x05\x06" + bytes(18)):
        refused = await put_lines(caller, job, body, XLSX)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert (await look(caller, job))["state"] == "created"


class CountedTurns(asyncio.Semaphore):
    """Turns that are counted."""

    taken = 0

    async def acquire(self) -> Literal[True]:
        """Take a turn."""
        self.taken += 1
        return await super().acquire()


async def test_workbooks_are_read_by_turns(gateway: GatewayFixture) -> None:
    """Each may need a gigabyte and a half: clients together take no more than a few at once."""
    turns = CountedTurns(1)
    files = Slots(most=4, most_of_one=1, turns=1, _turn=turns)
    book = XlsxWriter()
    body = book.add([["uscc", "企业名称"], [gateway.uscc(), "甲"]]) + book.end()
    callers = [await platform(gateway) for _ in range(3)]
    jobs = [await made(caller, TEMPLATE) for caller in callers]
    before = gateway.runtime
    gateway.app.state.runtime = replace(before, job_files=files)
    try:
        taken = await asyncio.gather(
            *(put_lines(*each, body, XLSX) for each in zip(callers, jobs, strict=True))
        )
    finally:
        gateway.app.state.runtime = before
    assert [each.status_code for each in taken] == [200] * 3
    assert turns.taken == 3
    assert not turns.locked()


async def test_a_row_of_megabytes_in_a_workbook_is_one_clear_problem(
    gateway: GatewayFixture,
) -> None:
    """In columns that are not even asked about."""
    caller = await platform(gateway)
    job = await made(caller, TEMPLATE)
    book = XlsxWriter()
    rows = [
        ["uscc", "企业名称", *["备注"] * 60],
        [gateway.uscc(), "甲", *["长" * 32_000] * 60],
    ]
    refused = await put_lines(caller, job, book.add(rows) + book.end(), XLSX)
    gateway.checked(refused)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert "4 MiB" in refused.json()["detail"]


async def test_an_upload_that_breaks_off_keeps_nothing_and_frees_the_job(
    gateway: GatewayFixture,
) -> None:
    """A client that sends less than it announced; and one that sends nothing more is given up."""
    caller = await platform(gateway)
    job = await made(caller)
    line = batch_line(1, gateway.uscc(), "is_active.v1")

    async def broken() -> AsyncIterator[bytes]:
        yield line
        raise ConnectionResetError

    path = f"{PATH}/{job}/lines"
    headers = {**await caller.headers("PUT", path), "Content-Type": "application/x-ndjson"}
    with contextlib.suppress(ConnectionResetError):
        await gateway.http.put(path, content=broken(), headers=headers)
    assert (await put_lines(caller, job, line)).status_code == 200

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    silent = Request({"type": "http", "method": "PUT", "headers": []}, receive)
    with pytest.raises(TimeoutError):
        await anext(aiter(arriving_blocks(silent, 0.01)))


async def test_a_client_has_one_file_of_a_result_made_at_a_time(gateway: GatewayFixture) -> None:
    """A file of a million lines is some 20 s of work; a second call is refused, another client's not."""
    caller = await platform(gateway)
    job = await started(caller, batch_line(1, gateway.uscc(), "is_active.v1"))
    await until(caller, job, "done")
    slots = gateway.runtime.job_files
    with slots.taken(caller.client_id):
        refused = gateway.checked(await result_of(caller, job, "?format=xlsx"))
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert (await result_of(caller, job)).status_code == 200
    with slots.taken("another client"):
        assert (await result_of(caller, job, "?format=xlsx")).status_code == 200


async def test_a_formula_in_a_file_comes_back_in_none(gateway: GatewayFixture) -> None:
    """Cells of the upload are not repeated; codes that are no codes are not either."""
    caller = await platform(gateway)
    uscc = gateway.entities[3].enterprise.uscc
    evil = '=HYPERLINK("http://evil.test","x")'
    rows = [["uscc", "企业名称"], [evil, evil], [uscc, evil], ["\t" + evil, "x"]]
    job = await started(caller, csv_file(rows), CSV, TEMPLATE)
    await until(caller, job, "done")
    for query in ("?format=csv", "?format=xlsx", ""):
        answer = await result_of(caller, job, query)
        assert answer.status_code == 200
        assert b"evil" not in answer.content
        assert b"HYPERLINK" not in answer.content


async def test_a_mark_of_broken_lines_in_an_upload_is_no_verdict(gateway: GatewayFixture) -> None:
    """What a client sends never passes for an answer of the gateway's."""
    caller = await platform(gateway)
    forged = b'!{"line":1,"answers":[{"question":"is_active.v1","answer":"yes"}]}'
    job = await started(caller, forged + b"\n" + batch_line(2, gateway.uscc(), "is_active.v1"))
    found = (await finished(caller, job)).documents
    assert found[0]["problem"]["code"] == "invalid_request"
    assert "answers" not in found[0]


async def test_pausing_and_resuming_at_once_answers_no_line_twice(gateway: GatewayFixture) -> None:
    """A client that races its own job."""
    caller = await platform(gateway)
    usccs = [each.enterprise.uscc for each in gateway.entities[:250]]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    job = await started(caller, batch_body(lines))
    for _ in range(10):
        await asyncio.gather(act(caller, job, "pause"), act(caller, job, "resume"))
    await act(caller, job, "resume")
    assert len((await finished(caller, job)).lines) == 250
    assert len(await gateway.log_of(caller)) == 250
