"""POST /v1/verifications/batch: order, lines of their own, limits, resumption, proofs."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest
from sqlalchemy import text

from gateway.db.prepared import Sets
from gateway.limits.memory_store import MemoryStore
from gateway.limits.quotas import Quotas
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.batch_builders import (
    NDJSON,
    PATH,
    answered,
    batch_body,
    batch_line,
    read_batch,
    send_batch,
)
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.reference_merkle import root_from_path
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = ("is_active.v1", "not_abnormal.v1", ("rating_at_least.v1", "良好"))


def usccs_of(gateway: GatewayFixture, count: int, first: int = 0) -> list[str]:
    """Codes of some enterprises."""
    return [each.enterprise.uscc for each in gateway.entities[first : first + count]]


def without_ids(line: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs each time."""
    fresh = {"line", "verification_id", "disclosure_id", "as_of", "log_promise"}
    return {name: value for name, value in line.items() if name not in fresh}


async def test_lines_are_answered_in_order_as_the_same_calls_would_be(
    gateway: GatewayFixture,
) -> None:
    """More than a set, an unknown enterprise among them; each line is in the log once."""
    platform, other = await gateway.client("platform"), await gateway.client("platform")
    usccs = [*usccs_of(gateway, 230), UNKNOWN]
    lines = [batch_line(n, uscc, *ASKED) for n, uscc in enumerate(usccs, 1)]
    found = await answered(platform, lines)
    assert [each["line"] for each in found.documents] == list(range(1, len(usccs) + 1))
    for uscc, line in list(zip(usccs, found.documents, strict=True))[::23]:
        single = await other.verify(uscc, *ASKED, purpose="merchant_review")
        assert without_ids(line) == without_ids(single.json())
    log = await gateway.log_of(platform)
    assert {row["disclosure_id"] for row in log} == {
        each["disclosure_id"] for each in found.documents
    }
    assert len(log) == len(usccs)


async def test_the_stream_has_no_signature_and_no_digest_in_its_header(
    gateway: GatewayFixture,
) -> None:
    """The manifest is the signature."""
    platform = await gateway.client("platform")
    response = await send_batch(platform, [batch_line(1, UNKNOWN, "is_active.v1")])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["cache-control"] == "no-store"
    for name in ("content-digest", "signature", "signature-input", "content-length"):
        assert name not in response.headers


async def test_answers_of_one_shape_have_one_length(gateway: GatewayFixture) -> None:
    """Known, unknown, and without the consent that a question needs."""
    platform = await gateway.client("platform")
    usccs = [*usccs_of(gateway, 8), UNKNOWN]
    lines = [batch_line(n, uscc, *ASKED) for n, uscc in enumerate(usccs, 1)]
    found = await answered(platform, lines)
    assert len({len(line) for line in found.lines}) == 1


async def test_a_wrong_line_is_answered_by_its_problem_and_the_others_by_theirs(
    gateway: GatewayFixture,
) -> None:
    """Each sort of wrong line, between two right ones."""
    platform = await gateway.client("platform")
    one, two = usccs_of(gateway, 2)
    right = batch_line(1, one, "is_active.v1")
    wrong = {
        b"{": "invalid_request",
        b"[]": "invalid_request",
        b"\xff\xfe": "invalid_request",
        b"\xef\xbb\xbf" + right: "invalid_request",  # a byte order mark
        b'{"line": 1, "purpose": "\xba\xbc\xd6\xdd"}': "invalid_request",  # GB 18030
        right[:20] + b"\0" + right[20:]: "invalid_request",
        right + b"\r" + right: "invalid_request",  # ends that are no line feeds
        b"\x1f\x8b\x08\x00" + bytes(20): "invalid_request",  # gzip
        batch_line(1, one, "is_active.v1"): "invalid_request",  # the number again
        orjson.dumps({**orjson.loads(right), "line": -1}): "invalid_request",
        orjson.dumps({**orjson.loads(right), "line": "7"}): "invalid_request",
        orjson.dumps({**orjson.loads(right), "line": 7.5}): "invalid_request",
        orjson.dumps({**orjson.loads(right), "line": 90, "more": 1}): "invalid_request",
        batch_line(91, "91330106MAHD0831", "is_active.v1"): "invalid_uscc",
        batch_line(92, one, "no_such_question.v1"): "unknown_question",
        batch_line(93, one, "is_active.v1", purpose="curiosity"): "unknown_purpose",
        batch_line(94, one, "is_active.v1", purpose="loan_approval"): "not_in_agreement",
        batch_line(95, one, "is_active.v1", "is_active.v1"): "invalid_request",
        batch_line(96, one, ("is_active.v1", "x")): "invalid_request",
        b'{"line": 97, "line": 98}': "invalid_request",
        b" " * 70_000 + right: "payload_too_large",
    }
    last = batch_line(99, two, "is_active.v1")
    found = await answered(platform, [right, *wrong, last])
    assert found.answers == [["yes"], *wrong.values(), ["yes"]]
    log = [row["reason"] for row in await gateway.log_of(platform)]
    assert sorted(map(str, log)) == sorted(
        ["None", "None", "not_in_agreement", "unknown_purpose", "unknown_question"]
    )
    for each in found.documents:
        if "problem" in each:
            assert each.keys() == {"line", "problem"}
            assert each["problem"].keys() == {"code", "detail"}


async def test_a_line_whose_number_cannot_be_read_is_answered_under_its_position(
    gateway: GatewayFixture,
) -> None:
    """Blank lines are passed over, and the last line needs no end."""
    platform = await gateway.client("platform")
    lines = [batch_line(10, UNKNOWN, "is_active.v1"), b"nonsense", b'{"line": 30}']
    found = await answered(platform, b"\n" + b"\r\n".join(lines))
    assert [each["line"] for each in found.documents] == [10, 2, 30]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/x-ndjson; charset=gbk"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ({"Content-Digest": "sha-256=:AAAA:"}, 400, "digest_mismatch"),
        ({"Content-Digest": "md5=:AAAA:"}, 400, "digest_mismatch"),
        ({"Idempotency-Key": "ü"}, 400, "invalid_request"),
    ],
)
async def test_a_wrong_header_is_one_problem(
    gateway: GatewayFixture, headers: dict[str, str | None], status: int, code: str
) -> None:
    """Nothing is answered, and nothing is in the log."""
    platform = await gateway.client("platform")
    raw = {name.encode(): str(value).encode("utf-8") for name, value in headers.items()}
    lines = [batch_line(1, UNKNOWN, "is_active.v1")]
    right = await platform.headers("POST", PATH, batch_body(lines))
    sent = {name.encode(): value.encode() for name, value in right.items()}
    sent = {b"Content-Type": b"application/x-ndjson"} | sent | raw
    sent[b"Content-Type"] = raw.get(b"Content-Type", b"application/x-ndjson")
    response = await gateway.http.post(PATH, content=batch_body(lines), headers=list(sent.items()))
    if code == "digest_mismatch" and response.status_code == 200:  # it is known at the end only
        assert read_batch(response.content).last["problem"]["code"] == code
        return
    gateway.checked(response)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await gateway.log_of(platform) == []


async def test_a_batch_without_lines_is_refused(gateway: GatewayFixture) -> None:
    """Blank ones are none."""
    platform = await gateway.client("platform")
    response = await send_batch(platform, b"\n \n")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_more_lines_than_a_batch_takes_end_it_without_a_manifest(
    gateway: GatewayFixture,
) -> None:
    """Most of them are blank to the eye of a reader, and cost nothing."""
    platform = await gateway.client("platform")
    response = await send_batch(platform, b"x\n" * 10_001)
    code = (
        response.json()["code"]
        if response.status_code != 200
        else read_batch(response.content).last["problem"]["code"]
    )
    assert code == "payload_too_large"


async def test_a_batch_that_is_too_long_says_so_while_more_of_it_arrives(
    gateway: GatewayFixture,
) -> None:
    """The rest is let pass by: it is no sign that the client has gone."""
    platform = await gateway.client("platform")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x\n" * 1_000

    headers = await platform.headers("POST", PATH)
    response = await gateway.http.post(
        PATH, content=body(), headers={**headers, "Content-Type": NDJSON}
    )
    last = orjson.loads(response.content.splitlines()[-1])
    assert last.get("problem", last)["code"] == "payload_too_large"


async def test_what_does_not_fit_the_quota_says_when_it_will(gateway: GatewayFixture) -> None:
    """Five calls a minute: five lines, whatever stands between them; nothing more is charged."""
    role = next(each for each in DEMO_CLIENTS if each.key == "platform")
    quotas = replace(terms_of(role, gateway.clock()).quotas, per_minute=5)
    platform = await gateway.client("platform", quotas=quotas)
    usccs = usccs_of(gateway, 7)
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    found = await answered(platform, [b"{", *lines])
    assert found.answers[0] == "invalid_request"
    assert [isinstance(each, list) for each in found.answers[1:]] == [True] * 5 + [False] * 2
    for each in found.documents[6:]:
        assert each["problem"]["code"] == "rate_limited"
        assert 1 <= each["problem"]["retry_after"] <= 13
    assert len(await gateway.log_of(platform)) == 5


async def test_distinct_enterprises_are_counted_over_single_calls_and_batches(
    gateway: GatewayFixture,
) -> None:
    """Those that were asked about before are free, wherever they stand."""
    platform = await gateway.client("platform", quotas=Quotas(distinct_enterprises_per_day=3))
    usccs = usccs_of(gateway, 5)
    assert (
        await platform.verify(usccs[4], "is_active.v1", purpose="merchant_review")
    ).status_code == 200
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    found = await answered(platform, lines)
    assert [isinstance(each, list) for each in found.answers] == [True, True, False, False, True]
    assert found.answers[2] in {"quota_exhausted", "rate_limited"}  # by the hours that are left


async def test_probe_budgets_are_shared_with_single_calls_and_counted_in_order(
    gateway: GatewayFixture,
) -> None:
    """One guess by a call, three in one batch: the last is not determined."""
    platform = await gateway.client("platform")
    uscc = gateway.uscc("clean")
    name = gateway.entity("clean").enterprise.name
    await platform.verify(uscc, ("enterprise_name.v1", "甲"), purpose="merchant_review")
    guesses = ["乙", "丙", name, "甲"]
    lines = [batch_line(n, uscc, ("enterprise_name.v1", guess)) for n, guess in enumerate(guesses)]
    found = await answered(platform, lines)
    assert found.answers == [["no"], ["no"], ["not_determined"], ["no"]]


async def test_a_repeated_batch_is_the_same_bytes_and_costs_nothing(
    gateway: GatewayFixture,
) -> None:
    """Wrong lines too; the manifest is made anew over the same root."""
    platform = await gateway.client("platform")
    lines = [batch_line(n, uscc, *ASKED) for n, uscc in enumerate(usccs_of(gateway, 30), 1)]
    lines += [b"{", batch_line(99, UNKNOWN, "no_such_question.v1")]
    lines += [batch_line(100, UNKNOWN, "is_active.v1", purpose="loan_approval")]
    first = await answered(platform, lines, key="night-1")
    before = await gateway.counts()
    again = await answered(platform, lines, key="night-1")
    assert again.lines == first.lines
    assert again.last["manifest"]["root"] == first.last["manifest"]["root"]
    assert again.last["manifest"]["batch_id"] == first.last["manifest"]["batch_id"]
    after = await gateway.counts()
    for table in ("disclosure", "disclosure_salt", "idempotency", "probe", "verification_batch"):
        assert after[table] == before[table], table


async def test_a_batch_that_met_its_quota_goes_on_under_its_key(gateway: GatewayFixture) -> None:
    """What was answered comes back and is not charged again; the rest is answered."""
    role = next(each for each in DEMO_CLIENTS if each.key == "platform")
    quotas = replace(terms_of(role, gateway.clock()).quotas, per_minute=60)
    platform = await gateway.client("platform", quotas=quotas)
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs_of(gateway, 70), 1)]
    first = await answered(platform, lines, key="night-2")
    assert first.answers[60:] == ["rate_limited"] * 10
    of_first = gateway.runtime
    gateway.app.state.runtime = replace(of_first, limiter=MemoryStore(gateway.clock))
    try:  # as after a minute
        second = await answered(platform, lines, key="night-2")
    finally:
        gateway.app.state.runtime = of_first
    assert second.lines[:60] == first.lines[:60]
    assert all(isinstance(each, list) for each in second.answers)
    assert len(await gateway.log_of(platform)) == 70


async def test_another_body_under_the_same_key_is_a_conflict(gateway: GatewayFixture) -> None:
    """By its digest at once, and line by line where none is declared."""
    platform = await gateway.client("platform")
    usccs = usccs_of(gateway, 3)
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    await answered(platform, lines, key="k")
    other = [*lines[:2], batch_line(3, UNKNOWN, "is_active.v1")]
    for changed in (other, lines[:2], [*lines, batch_line(4, UNKNOWN, "is_active.v1")]):
        response = await send_batch(platform, changed, key="k")
        assert response.status_code == 409, changed
        assert response.json()["code"] == "idempotency_conflict"
    response = await send_batch(platform, other, key="k", headers={"Content-Digest": None})
    assert response.status_code == 409
    single = await platform.verify(
        usccs[0], "is_active.v1", purpose="merchant_review", headers={"Idempotency-Key": "k"}
    )
    assert single.status_code == 409
    assert len(await gateway.log_of(platform)) == 3


async def test_a_key_of_another_client_is_another_key(gateway: GatewayFixture) -> None:
    """Nothing of the first client's batch is told."""
    one, two = await gateway.client("platform"), await gateway.client("platform")
    lines = [batch_line(1, gateway.uscc("clean"), "is_active.v1")]
    first = await answered(one, lines, key="shared")
    second = await answered(two, lines, key="shared")
    assert first.last["manifest"]["batch_id"] != second.last["manifest"]["batch_id"]
    assert first.documents[0]["disclosure_id"] != second.documents[0]["disclosure_id"]


async def test_each_line_can_be_shown_alone(gateway: GatewayFixture) -> None:
    """The proof leads from the line's bytes to the signed root; nobody else gets it."""
    platform, other = await gateway.client("platform"), await gateway.client("platform")
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs_of(gateway, 7), 1)]
    found = await answered(platform, lines)
    batch_id = found.last["manifest"]["batch_id"]
    for index, line in enumerate(found.lines):
        path = f"{PATH}/{batch_id}/proofs/{index + 1}"
        shown = (await platform.send(path, b"", method="GET")).json()
        assert {**found.last}.items() <= shown.items()
        assert (shown["line"], shown["leaf_index"]) == (index + 1, index)
        proof = [bytes.fromhex(each) for each in shown["proof"]]
        root = root_from_path(line, index, len(lines), proof)
        assert root is not None
        assert root.hex() == shown["manifest"]["root"]
    for caller, path in (
        (other, f"{PATH}/{batch_id}/proofs/1"),
        (platform, f"{PATH}/{batch_id}/proofs/8"),
        (platform, f"{PATH}/{batch_id}/proofs/01"),
        (platform, f"{PATH}/bat_none/proofs/1"),
    ):
        response = await caller.send(path, b"", method="GET")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_suspended_client_gets_a_problem(gateway: GatewayFixture) -> None:
    """Before the first line, which is in the log as refused."""
    platform = await gateway.client("platform")
    await platform.token()
    await gateway.rows(
        "UPDATE client SET state = 'suspended' WHERE client_id = :id", id=platform.client_id
    )
    response = await send_batch(platform, [batch_line(1, UNKNOWN, "is_active.v1")])
    assert (response.status_code, response.json()["code"]) == (403, "client_suspended")


async def test_batches_of_one_client_under_way_are_bounded(gateway: GatewayFixture) -> None:
    """The third is told to wait; others are not."""
    platform, other = await gateway.client("platform"), await gateway.client("platform")
    lines = [batch_line(1, UNKNOWN, "is_active.v1")]
    slots = gateway.runtime.batch_slots
    with slots.taken(platform.client_id), slots.taken(platform.client_id):
        refused = await send_batch(platform, lines)
        assert refused.status_code == httpx2.codes.TOO_MANY_REQUESTS
        assert refused.headers["retry-after"] == "5"
        await answered(other, lines)
    await answered(platform, lines)


@pytest.mark.parametrize("sets", [Sets(), None], ids=["sets", "alone"])
async def test_a_locked_row_holds_up_its_own_line_alone(
    gateway: GatewayFixture, sets: Sets | None
) -> None:
    """The others of its set are committed meanwhile; each line is written once. On a cluster too."""
    platform = await gateway.client("platform")
    usccs = usccs_of(gateway, 30)
    lines = [batch_line(n, uscc, "is_active.v1") for n, uscc in enumerate(usccs, 1)]
    gateway.runtime.hot.use_sets(sets)
    try:
        async with gateway.runtime.background.begin() as held:
            await held.execute(
                text("SELECT FROM enterprise WHERE uscc = :uscc FOR UPDATE"), {"uscc": usccs[7]}
            )
            answering = asyncio.create_task(answered(platform, lines))
            others = len(lines) - 1 if sets else 4  # by themselves they go four at a time
            until = time.monotonic() + PATIENCE
            while len(await gateway.log_of(platform)) < others:
                assert time.monotonic() < until, "the others wait for the locked row"
                await asyncio.sleep(0.02)
        found = await answering
    finally:
        gateway.runtime.hot.use_sets(Sets())
    assert found.answers == [each if isinstance(each, list) else None for each in found.answers]
    assert len(await gateway.log_of(platform)) == len(lines)
