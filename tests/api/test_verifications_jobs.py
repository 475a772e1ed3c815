"""Verification jobs: files in and out, lifecycle, quotas, deletion with a proof."""

import csv
import gzip
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from python_calamine import CalamineWorkbook

from gateway.background.job_runner import JobRunner
from gateway.background.refusal_count_writer import write_counts
from gateway.creditfile.retention import deletion_proof
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import LineLimit, LinesAdmission
from gateway.limits.slots import Slots
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from gateway.verifications.jobs.answer_set import take_next
from gateway.verifications.jobs.deletion import delete_due
from gateway.verifications.jobs.lifecycle import RETRY_SECONDS
from tests.batch_builders import batch_body, batch_line
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, open_gateway
from tests.job_builders import (
    CSV,
    GENEROUS,
    NDJSON,
    PATH,
    TEMPLATE,
    XLSX,
    act,
    csv_file,
    every_turn,
    finished,
    look,
    made,
    platform,
    put_lines,
    read_result,
    result_of,
    started,
    until,
)
from tests.waiting import eventually
from tests.workbook_builders import workbook

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(postgres_url: str) -> AsyncIterator[GatewayFixture]:
    """A gateway by itself: the session's may have a second worker, which takes jobs too."""
    async with open_gateway(postgres_url) as made:
        yield made


def rows_of(gateway: GatewayFixture, count: int) -> list[list[str]]:
    """Header and rows of code and name."""
    some = gateway.entities[:count]
    return [
        ["商户号", "统一社会信用代码", "企业名称"],
        *([f"M{n}", each.enterprise.uscc, each.enterprise.name] for n, each in enumerate(some)),
    ]


def answers_in(line: dict[str, Any]) -> list[str]:
    """The answers of one line."""
    return [each["answer"] for each in line["answers"]]


async def test_a_job_answers_each_line_as_a_call_would_and_logs_it_once(
    gateway: GatewayFixture,
) -> None:
    """More than a set, one enterprise twice, an unknown one."""
    caller, other = await platform(gateway), await platform(gateway)
    usccs = [each.enterprise.uscc for each in gateway.entities[:230]]
    usccs += [usccs[0], UNKNOWN]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    job = await started(caller, batch_body(lines))
    found = await finished(caller, job)
    assert [each["line"] for each in found.documents] == list(range(1, len(usccs) + 1))
    assert found.last["manifest"]["request_digest"] == hashlib.sha256(batch_body(lines)).hexdigest()
    for uscc, line in list(zip(usccs, found.documents, strict=True))[::29]:
        assert answers_in(line) == await other.answers(
            uscc, "is_active.v1", purpose="merchant_review"
        )
    log = await gateway.log_of(caller)
    assert sorted(row["disclosure_id"] for row in log) == sorted(
        each["disclosure_id"] for each in found.documents
    )
    state = await look(caller, job)
    assert (state["state"], state["lines"], state["answered"]) == ("done", 232, 232)
    assert (state["broken"], state["problems"]) == (0, 0)


@pytest.mark.parametrize("kind", [CSV, XLSX, NDJSON, "gb18030"])
async def test_a_file_of_rows_is_asked_the_jobs_questions(
    gateway: GatewayFixture, kind: str
) -> None:
    """CSV, a workbook and rows as objects give the same answers; a name that differs is no."""
    caller = await platform(gateway)
    rows = rows_of(gateway, 8)
    rows[3][2] = "另一家公司"
    match kind:
        case "text/csv":
            body = b"\xef\xbb\xbf" + csv_file(rows)
        case "gb18030":
            body, kind = csv_file(rows).decode().encode("gb18030"), CSV
        case "application/x-ndjson":
            objects = (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
            body = b"\n".join(map(orjson.dumps, objects))
        case _:
            body = workbook([["商户名单"], [], *rows])
    job = await started(caller, body, kind, TEMPLATE)
    found = await finished(caller, job)
    names = [answers_in(each)[1] for each in found.documents]
    assert names == ["yes", "yes", "no", "yes", "yes", "yes", "yes", "yes"]
    assert [each["enterprise"]["uscc"] for each in found.documents] == [r[1] for r in rows[1:]]


async def test_each_broken_line_has_its_problem_and_the_others_their_answers(
    gateway: GatewayFixture,
) -> None:
    """Malformed, of another place, with a bare ID number, of an unknown question, not a code."""
    caller = await platform(gateway)
    uscc = gateway.uscc()
    lines = [
        batch_line(1, uscc, "is_active.v1"),
        b"{",
        b"[]",
        batch_line(9, uscc, "is_active.v1"),
        batch_line(5, uscc, ("legal_representative_id.v1", "330106199001011234")),
        batch_line(6, uscc, "no_such_question.v1"),
        batch_line(7, "not a code", "is_active.v1"),
        "{坏".encode("gb18030"),
        batch_line(9, uscc, "not_abnormal.v1"),
    ]
    job = await made(caller)
    taken = (await put_lines(caller, job, b"\n".join(lines))).json()
    assert (taken["lines"], taken["broken"]) == (9, 6)
    assert [each["line"] for each in taken["first_broken"]] == [2, 3, 4, 5, 7, 8]
    stored = await gateway.rows("SELECT asked FROM verification_job_set WHERE job_id = :j", j=job)
    assert all(b"330106199001011234" not in row["asked"] for row in stored)
    await act(caller, job, "start")
    found = (await finished(caller, job)).documents
    codes = [each.get("problem", {}).get("code", "") for each in found]
    wrong = "invalid_request"
    assert codes == ["", wrong, wrong, wrong, wrong, "unknown_question", "invalid_uscc", wrong, ""]
    assert [each["line"] for each in found] == list(range(1, 10))
    log = await gateway.log_of(caller)
    assert sorted(row["outcome"] for row in log) == ["refused", "told", "told"]


async def test_a_job_by_bundle_asks_what_the_agreement_covers(gateway: GatewayFixture) -> None:
    """Of every row of its file; the job names what the bundle stood for."""
    covered = frozenset({"not_abnormal.v1", "no_live_penalty.v1", "is_active.v1"})
    caller = await platform(gateway, questions=covered)
    template = {"purpose": "merchant_review", "bundle": "review.v1"}
    job = await started(caller, csv_file(rows_of(gateway, 3)), CSV, template)
    shown = await look(caller, job)
    tags = ["not_abnormal.v1", "no_live_penalty.v1"]
    assert [each["question"] for each in shown["questions"]] == tags
    found = (await finished(caller, job)).documents
    assert [[each["question"] for each in line["answers"]] for line in found] == [tags] * 3


async def test_a_line_of_a_job_may_name_a_bundle(gateway: GatewayFixture) -> None:
    """Beside lines that ask by name; one with both is broken."""
    caller = await platform(gateway, questions=frozenset({"not_abnormal.v1", "is_active.v1"}))
    usccs = [each.enterprise.uscc for each in gateway.entities[:3]]
    asked: list[dict[str, Any]] = [
        {"bundle": "review.v1"},
        {"questions": [{"question": "is_active.v1"}]},
        {"bundle": "review.v1", "questions": [{"question": "is_active.v1"}]},
    ]
    body = b"".join(
        orjson.dumps(
            {"line": number, "enterprise": {"uscc": uscc}, "purpose": "merchant_review"} | each
        )
        + b"\n"
        for number, (uscc, each) in enumerate(zip(usccs, asked, strict=True), 1)
    )
    first, second, third = (await finished(caller, await started(caller, body))).documents
    assert [each["question"] for each in first["answers"]] == ["not_abnormal.v1"]
    assert [each["question"] for each in second["answers"]] == ["is_active.v1"]
    assert third["problem"]["code"] == "invalid_request"


async def test_a_csv_line_that_is_broken_costs_no_other_line(gateway: GatewayFixture) -> None:
    """An open quotation, another encoding, too few cells, a line without a code."""
    caller = await platform(gateway)
    header, *rows = rows_of(gateway, 6)
    good = [",".join(row).encode() for row in rows]
    body = b"\n".join(
        [
            ",".join(header).encode(),
            good[0],
            b'M,"' + rows[1][1].encode() + b",x",
            good[1],
            "M,911,某公司".encode("gb18030"),
            b"M",
            good[2],
            "M,,某公司".encode(),
            f'M,{rows[3][1]},"{rows[3][2]}"'.encode(),
            b",,",
            good[4],
        ]
    )
    job = await started(caller, body, CSV, TEMPLATE)
    found = (await finished(caller, job)).documents
    told = [each["line"] for each in found if "answers" in each]
    assert told == [1, 3, 6, 8, 9]
    assert all(answers_in(each)[1] == "yes" for each in found if "answers" in each)


async def test_results_come_as_csv_and_workbook_that_say_the_same(gateway: GatewayFixture) -> None:
    """Both are signed by their header; no cell begins a formula."""
    caller = await platform(gateway)
    rows = rows_of(gateway, 5)
    rows[2][1] = "=1+1"
    job = await started(caller, csv_file(rows), CSV, TEMPLATE)
    told = (await finished(caller, job)).documents
    as_csv = gateway.checked(await result_of(caller, job, "?format=csv"))
    as_xlsx = gateway.checked(await result_of(caller, job, "?format=xlsx"))
    read = list(csv.reader(io.StringIO(as_csv.text.removeprefix("\ufeff"))))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(as_xlsx.content)).get_sheet_by_index(0)
    assert [list(map(str, row)) for row in sheet.to_python(skip_empty_area=False)] == read
    header, *lines = read
    assert header[:3] == ["line", "uscc", "is_active.v1"]
    assert [line[1] for line in lines] == [
        each.get("enterprise", {}).get("uscc", "") for each in told
    ]
    assert lines[1][header.index("problem")] == "invalid_uscc"
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in lines for cell in line)


async def test_a_result_goes_on_from_a_line(gateway: GatewayFixture) -> None:
    """The rest of the lines, in the middle of a set and after the last, with the manifest of all."""
    caller = await platform(gateway)
    usccs = [each.enterprise.uscc for each in gateway.entities[:250]]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    job = await started(caller, batch_body(lines))
    whole = await finished(caller, job)
    for first in (2, 200, 201, 250, 251):
        rest = read_result((await result_of(caller, job, f"?from_line={first}")).content)
        assert (rest.lines, rest.last) == (whole.lines[first - 1 :], whole.last)
    first, told = 1, b""
    while b'{"manifest"' not in told:
        page = gateway.checked(await result_of(caller, job, f"?from_line={first}&lines=90"))
        told, first = told + page.content, first + 90
    assert read_result(told) == whole


async def test_what_does_not_fit_the_state_is_a_conflict(gateway: GatewayFixture) -> None:
    """No start without lines, no result before the end, no other lines after the start."""
    caller = await platform(gateway)
    job = await made(caller)
    assert (await act(caller, job, "start")).status_code == 409
    assert (await act(caller, job, "pause")).status_code == 409
    body = batch_line(1, gateway.uscc(), "is_active.v1")
    assert (await put_lines(caller, job, body)).status_code == 200
    assert (await result_of(caller, job)).status_code == 409
    await act(caller, job, "start")
    await until(caller, job, "done")
    for verb in ("start", "pause", "resume"):
        assert (await act(caller, job, verb)).status_code == 409
    assert (await put_lines(caller, job, body)).status_code == 409


async def lift_quotas(gateway: GatewayFixture, caller: Caller) -> None:
    """A new version of the agreement, with quotas that hold nothing up."""
    cast = next(each for each in DEMO_CLIENTS if each.key == "platform")
    await gateway.agree(caller, replace(terms_of(cast, gateway.clock()), quotas=GENEROUS))


async def test_a_paused_job_waits_until_it_is_resumed(gateway: GatewayFixture) -> None:
    """A small quota holds it, its client pauses it, and a resumed one ends."""
    caller = await platform(gateway, replace(GENEROUS, per_enterprise_per_minute=1))
    uscc = gateway.uscc()
    lines = [batch_line(n, uscc, "is_active.v1") for n in range(1, 3)]
    job = await started(caller, batch_body(lines))
    waiting = await until(caller, job, "paused")
    assert (waiting["reason"], waiting["answered"]) == ("rate_limited", 1)
    assert waiting["resumes_at"] > waiting["started_at"]
    paused = (await act(caller, job, "pause")).json()
    assert (paused["state"], paused["reason"]) == ("paused", "by_client")
    assert "resumes_at" not in paused
    await lift_quotas(gateway, caller)
    with gateway.clock.later(minutes=5):
        caller.forget_tokens()
        assert (await look(caller, job))["state"] == "paused"
        assert (await act(caller, job, "resume")).json()["state"] == "running"
        found = await finished(caller, job)
    assert len(found.lines) == 2
    assert len(await gateway.log_of(caller)) == 2
    caller.forget_tokens()


async def test_a_quota_of_the_day_pauses_a_job_until_it_fits_again(gateway: GatewayFixture) -> None:
    """With the reason and the time; what was answered is neither asked nor counted again.

    A line that waits is no refused request: no enterprise is shown it as one, however often it is tried.
    """
    caller = await platform(gateway, replace(GENEROUS, distinct_enterprises_per_day=3))
    usccs = [each.enterprise.uscc for each in gateway.entities[:5]]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    job = await started(caller, batch_body(lines))
    waiting = await until(caller, job, "paused")
    assert waiting["answered"] == 3
    assert waiting["reason"] in {"quota_exhausted", "rate_limited"}  # an hour before midnight
    assert (await look(caller, job))["resumes_at"] == waiting["resumes_at"]
    await write_counts(gateway.runtime)
    counted = "SELECT reason FROM turned_away WHERE client_id = :client"
    assert not await gateway.rows(counted, client=caller.client_id)
    await lift_quotas(gateway, caller)
    with gateway.clock.later(days=1):
        caller.forget_tokens()
        found = await finished(caller, job)
    caller.forget_tokens()
    assert all("answers" in each for each in found.documents)
    assert len(await gateway.log_of(caller)) == 5


@pytest.mark.parametrize("end", ["agreement", "suspended"])
async def test_a_job_stops_with_its_clients_right_to_ask(gateway: GatewayFixture, end: str) -> None:
    """No line is answered after; those that were can be collected with a manifest."""
    caller = await platform(gateway, replace(GENEROUS, distinct_enterprises_per_day=2))
    usccs = [each.enterprise.uscc for each in gateway.entities[:5]]
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    job = await started(caller, batch_body(lines))
    await until(caller, job, "paused")
    now = gateway.clock()
    if end == "agreement":
        change = "UPDATE agreement SET ended_at = :now WHERE client_id = :client"
    else:
        change = "UPDATE client SET state = 'suspended' WHERE client_id = :client"
    values = {"now": now} if end == "agreement" else {}
    await gateway.rows(change, client=caller.client_id, **values)
    refused = await caller.send(f"{PATH}/{job}", b"", method="GET")
    assert refused.status_code == 403
    with gateway.clock.later(days=1):
        await _until_state(gateway, job, "stopped")
    (row,) = await gateway.rows(
        "SELECT reason, answered, sealed_manifest FROM verification_job WHERE job_id = :j", j=job
    )
    assert row["answered"] == 2
    assert row["reason"] == ("agreement_ended" if end == "agreement" else "client_suspended")
    assert row["sealed_manifest"] is not None
    assert len([r for r in await gateway.log_of(caller) if r["outcome"] == "told"]) == 2
    if end == "agreement":
        cast = next(each for each in DEMO_CLIENTS if each.key == "platform")
        await gateway.agree(caller, replace(terms_of(cast, now), quotas=GENEROUS))
        assert len((await finished(caller, job)).lines) == 2


async def _until_state(gateway: GatewayFixture, job: str, state: str) -> None:
    async def there() -> bool:
        found = await gateway.rows("SELECT state FROM verification_job WHERE job_id = :j", j=job)
        return bool(found[0]["state"] == state)

    await eventually(there)


async def test_a_deleted_job_leaves_a_proof_and_nothing_else(gateway: GatewayFixture) -> None:
    """The proof is signed, verifies against the published keys, and stays readable."""
    caller = await platform(gateway)
    job = await started(caller, batch_line(1, gateway.uscc(), "is_active.v1"))
    await until(caller, job, "done")
    deleted = (await caller.send(f"{PATH}/{job}", b"", method="DELETE")).json()
    assert deleted["state"] == "deleted"
    proved = deletion_proof.verify(
        deleted["deletion"], gateway.runtime.keys.published(), record=(job, 1)
    )
    assert proved.deleted == {"verification_job": {"records": 1, "versions": 1}}
    assert not await gateway.rows("SELECT 1 FROM verification_job_set WHERE job_id = :j", j=job)
    assert not await stored_answers(gateway, caller)
    assert (await look(caller, job))["deletion"] == deleted["deletion"]
    again = await caller.send(f"{PATH}/{job}", b"", method="DELETE")
    assert again.json()["deletion"] == deleted["deletion"]
    assert (await result_of(caller, job)).status_code == 404


class DeletingLimits(MemoryStore):
    """Limits that let the job be deleted while a set of it is answered."""

    def __init__(
        self, delete: Callable[[], Awaitable[object]], clock: Callable[[], datetime]
    ) -> None:
        super().__init__(clock)
        self.delete = delete

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Delete the job, then admit its lines."""
        await self.delete()
        return await super().admit_lines(admission)


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_job_deleted_beside_a_set_leaves_none_of_its_answers(
    gateway: GatewayFixture,
    is_late: bool,
) -> None:
    """They were committed and not yet in the job when it was deleted, or are committed after that."""
    runtime, caller = gateway.runtime, await platform(gateway)
    body = batch_body([batch_line(n, gateway.uscc(), "is_active.v1") for n in (1, 2)])
    async with every_turn(runtime.batch_slots):  # the runner waits
        job = await started(caller, body)
        worker = await take_next(runtime, holder="killed", seconds=30)
        assert worker is not None
        assert worker.job.job_id == job

        async def delete() -> None:
            await caller.send(f"{PATH}/{job}", b"", method="DELETE")

        if is_late:
            limits = DeletingLimits(delete, gateway.clock)
            await replace(worker, runtime=replace(runtime, limiter=limits)).answer_next_set()
        else:
            await replace(worker, holder="too late").answer_next_set()
            assert len(await stored_answers(gateway, caller)) == 2
            await delete()
    assert len(await gateway.log_of(caller)) == 2
    assert not await stored_answers(gateway, caller)


class DeadLimits(MemoryStore):
    """Limits that cannot be asked."""

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Fail."""
        del admission
        raise LimiterUnavailableError


async def test_a_job_rests_while_the_limits_cannot_be_asked(gateway: GatewayFixture) -> None:
    """It is not tried again at once, over and over, and that is no failure of its own."""
    runtime, caller = gateway.runtime, await platform(gateway)
    slots = Slots(most=1, most_of_one=1, turns=1)
    dead = replace(runtime, limiter=DeadLimits(gateway.clock), batch_slots=slots)
    async with every_turn(runtime.batch_slots):  # the other runner waits
        job = await started(caller, batch_line(1, gateway.uscc(), "is_active.v1"))
        assert await JobRunner(current=lambda: dead).round()
        (row,) = await gateway.rows(
            "SELECT state, attempts, held_until - served_at AS rest FROM verification_job"
            " WHERE job_id = :job",
            job=job,
        )
        assert (row["state"], row["attempts"]) == ("running", 0)
        assert row["rest"].total_seconds() >= RETRY_SECONDS
        await caller.send(f"{PATH}/{job}", b"", method="DELETE")


async def stored_answers(gateway: GatewayFixture, caller: Caller) -> list[str]:
    """The keys of a client's answers that are stored for repeated calls."""
    rows = await gateway.rows(
        "SELECT key FROM idempotency WHERE client_id = :client", client=caller.client_id
    )
    return [row["key"] for row in rows]


async def test_a_collected_result_is_deleted_a_day_later(gateway: GatewayFixture) -> None:
    """And one that nobody collects after its term."""
    caller = await platform(gateway)
    body = batch_line(1, gateway.uscc(), "is_active.v1")
    collected, left = await started(caller, body), await started(caller, body)
    await finished(caller, collected)
    await until(caller, left, "done")
    assert (await result_of(caller, left, "?from_line=2&lines=1")).status_code == 200
    assert "collected_at" not in await look(caller, left)
    state = await look(caller, collected)
    assert state["collected_at"] < state["expires_at"]
    for step, gone in ((timedelta(hours=25), [collected]), (timedelta(days=8), [collected, left])):
        with gateway.clock.later(seconds=step.total_seconds()):
            await delete_due(gateway.runtime)
            caller.forget_tokens()
            states = {each: (await look(caller, each))["state"] for each in (collected, left)}
        assert [each for each, found in states.items() if found == "deleted"] == gone
    caller.forget_tokens()


async def test_lines_that_arrive_otherwise_than_announced_are_not_kept(
    gateway: GatewayFixture,
) -> None:
    """Another digest, a coding, another media type, a CSV without questions, no line, a bad header."""
    caller = await platform(gateway)
    job, of_rows = await made(caller), await made(caller, TEMPLATE)
    body = batch_line(1, gateway.uscc(), "is_active.v1")
    wrong = await put_lines(caller, job, body, headers={"Content-Digest": f"sha-256=:{'A' * 43}=:"})
    assert wrong.json()["code"] == "digest_mismatch"
    coded = await put_lines(caller, job, gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert coded.status_code == 415
    assert (await put_lines(caller, job, body, "application/json")).status_code == 415
    assert (await put_lines(caller, job, b"a,b\n", CSV)).status_code == 400
    assert (await put_lines(caller, job, b"\n\n")).status_code == 400
    assert (await put_lines(caller, of_rows, b"a,b\n1,2\n", CSV)).status_code == 400
    assert (await put_lines(caller, of_rows, b"uscc,b\n1,2\n", CSV)).status_code == 400
    assert (await put_lines(caller, of_rows, b"PK\x03\x04", XLSX)).status_code == 400
    assert not await gateway.rows(
        "SELECT 1 FROM verification_job_set WHERE job_id IN (:a, :b)", a=job, b=of_rows
    )
    assert (await look(caller, job))["state"] == "created"


async def test_new_lines_take_the_place_of_earlier_ones_until_the_start(
    gateway: GatewayFixture,
) -> None:
    """And an upload that fails leaves those that were there."""
    caller = await platform(gateway)
    job = await made(caller)
    two = [batch_line(n, gateway.uscc(), "is_active.v1") for n in (1, 2)]
    await put_lines(caller, job, two[0])
    await put_lines(caller, job, batch_body(two))
    failed = await put_lines(
        caller, job, two[0], headers={"Content-Digest": f"sha-256=:{'A' * 43}=:"}
    )
    assert failed.status_code == 400
    await act(caller, job, "start")
    assert len((await finished(caller, job)).lines) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"purpose": "merchant_review"}, "invalid_request"),
        ({**TEMPLATE, "purpose": "fun"}, "unknown_purpose"),
        ({**TEMPLATE, "questions": [{"question": "x.v1"}]}, "unknown_question"),
        (
            {**TEMPLATE, "questions": [{"question": "rating_at_least.v1", "value": "?"}]},
            "invalid_request",
        ),
        (
            {**TEMPLATE, "questions": [{"question": "is_active.v1", "column": "x"}]},
            "invalid_request",
        ),
        ({**TEMPLATE, "purpose": "tender"}, "not_in_agreement"),
    ],
)
async def test_a_job_that_cannot_be_asked_is_refused_when_it_is_made(
    gateway: GatewayFixture, body: dict[str, Any], code: str
) -> None:
    """Before a line is sent."""
    caller = await platform(gateway)
    refused = await caller.send(PATH, body)
    assert refused.json()["code"] == code


async def test_each_answered_line_is_charged_and_a_broken_one_is_not(postgres_url: str) -> None:
    """Beside the calls on the job. By one worker alone: another has counters in a memory of its own."""
    async with open_gateway(postgres_url) as gateway:
        caller = await platform(gateway, replace(GENEROUS, per_day=100))  # one back in 14 minutes
        usccs = [each.enterprise.uscc for each in gateway.entities[:20]]
        lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
        before = _left(await caller.send(PATH, b"", method="GET"))
        job = await started(caller, batch_body(lines) + b"{\n" * 30)
        await _until_state(gateway, job, "done")
        after = _left(await caller.send(PATH, b"", method="GET"))
        calls = 4  # made, filled, started, and this one
        assert before - after in {20 + calls, 20 + calls - 1}  # one may have come back meanwhile


def _left(response: httpx2.Response) -> int:
    """Remaining quota of the day."""
    parts = response.headers["ratelimit"].split(", ")
    return int(next(each for each in parts if "client_day" in each).split(";r=")[1].split(";")[0])
