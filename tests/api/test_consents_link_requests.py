"""Consent requests by link (`POST /v1/consents`): creation, limits, waiting, amendment."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

import consent
from consent import Consent, DisplayedText, Person, Refused, Status, Transition
from consent import store as consents
from gateway.access.serializers.timestamps import format_time
from gateway.background.refusal_count_writer import write_counts
from gateway.codes import qr
from gateway.disclosure import consent_log_writer
from gateway.limits.quotas import Quotas
from tests.client_builders import set_active
from tests.consent_builders import grant_all, make_person, stored_consents
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/consents"
SCOPE = "consents"
SHOWN = DisplayedText(text_version="2026.1", language="zh")


def request_body(uscc: str, **changes: Any) -> dict[str, Any]:
    """Body of a request."""
    return {
        "enterprise": {"uscc": uscc},
        "purpose": "loan_approval",
        "datasets": ["penalty"],
        "max_uses": 1,
    } | changes


async def request_consent(
    caller: Caller, uscc: str, *, key: str | None = None, **changes: Any
) -> Any:
    """The answer to a request by link."""
    headers = {"Idempotency-Key": key} if key else None
    return await caller.send(PATH, request_body(uscc, **changes), scope=SCOPE, headers=headers)


async def read_consent(caller: Caller, consent_id: str, **query: Any) -> dict[str, Any]:
    """The consent as its client reads it."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    path = f"{PATH}/{consent_id}" + (f"?{text}" if text else "")
    answer = await caller.send(path, b"", method="GET", scope=SCOPE)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refuse(held: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """Refuse as the enterprise."""
    return consent.refuse(held, person=person, shown=SHOWN, now=now)


@pytest_asyncio.fixture(loop_scope="session")
async def bank(gateway: GatewayFixture) -> AsyncIterator[Caller]:
    """A new bank, unaffected by other tests' refusals."""
    yield await gateway.client("bank")


async def test_the_answer_is_the_same_whether_the_enterprise_exists(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """The same status, members and lengths."""
    there, nowhere = (
        await request_consent(bank, gateway.uscc("clean")),
        await request_consent(bank, UNKNOWN),
    )
    assert (there.status_code, nowhere.status_code) == (201, 201)
    one, other = there.json(), nowhere.json()
    assert one.keys() == other.keys() == {"consent_id", "status", "capture_url", "expires_at"}
    assert one["status"] == other["status"] == "requested"
    assert len(there.content) == len(nowhere.content)
    assert one["capture_url"] == f"{gateway.issuer}/portal/asked/{one['consent_id']}"


async def test_a_request_is_kept_for_a_week_and_shown_to_its_client(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """`requested` until decided; then it expires."""
    made = (await request_consent(bank, gateway.uscc("clean"))).json()
    assert (await read_consent(bank, made["consent_id"]))["status"] == "requested"
    with gateway.clock.later(days=7):
        assert (await read_consent(bank, made["consent_id"]))["status"] == "expired"


async def test_the_symbol_of_a_request_is_drawn_while_it_waits(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """As SVG that no cache keeps; afterwards it would lead nowhere."""
    made = (await request_consent(bank, gateway.uscc("clean"))).json()
    path = f"{PATH}/{made['consent_id']}/symbol"
    drawn = await bank.send(path, b"", method="GET", scope=SCOPE)
    assert drawn.status_code == 200
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.headers["cache-control"] == "no-store"
    assert qr.as_path(qr.matrix_of(made["capture_url"])) in drawn.text
    assert "不是店铺的企业码" in drawn.text
    with gateway.clock.later(days=7):
        late = await bank.send(path, b"", method="GET", scope=SCOPE)
    held = await gateway.grant(bank, gateway.uscc("clean"))
    granted = await bank.send(f"{PATH}/{held}/symbol", b"", method="GET", scope=SCOPE)
    assert [late.status_code, granted.status_code] == [404, 404]


async def test_no_other_client_sees_it(gateway: GatewayFixture, bank: Caller) -> None:
    """404 for every other client."""
    made = (await request_consent(bank, gateway.uscc("clean"))).json()
    other = await gateway.client("bank")
    answer = await other.send(f"{PATH}/{made['consent_id']}", b"", method="GET", scope=SCOPE)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"purpose": "marketing"}, 400, "unknown_purpose"),
        ({"datasets": ["gossip"]}, 400, "unknown_dataset"),
        ({"datasets": [], "questions": ["is_rich.v1"]}, 400, "unknown_question"),
        ({"datasets": []}, 400, "invalid_request"),
        ({"datasets": ["supervision"]}, 403, "not_in_agreement"),
        ({"enterprise": {"uscc": "nonsense"}}, 400, "invalid_uscc"),
        ({"valid_until": "tomorrow"}, 400, "invalid_request"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, 400, "invalid_request"),
        ({"max_uses": 0}, 400, "invalid_request"),
        ({"enterprise": None}, 400, "invalid_request"),
        ({"type": "credit_data"}, 400, "invalid_request"),
    ],
)
async def test_a_wrong_request_says_what_to_mend(
    gateway: GatewayFixture, bank: Caller, changes: dict[str, Any], status: int, code: str
) -> None:
    """400, and nothing is stored."""
    answer = await request_consent(bank, gateway.uscc("clean"), **changes)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    kept = await bank.send(PATH, b"", method="GET", scope=SCOPE)
    assert kept.json()["consents"] == []


@pytest.mark.parametrize(
    ("changes", "reason", "purpose", "asked"),
    [
        ({"purpose": "gossip-1"}, "unknown_purpose", "unknown", ["penalty"]),
        ({"datasets": ["penalty", "private_life"]}, "unknown_dataset", "loan_approval", ["penalty"]),
        ({"questions": ["is_active.v1", "secret.v9"]}, "unknown_question", "loan_approval",
         ["penalty", "is_active.v1"]),
        ({"datasets": ["supervision"]}, "not_in_agreement", "loan_approval", ["supervision"]),
        ({"datasets": []}, "invalid_request", "loan_approval", []),
        ({"valid_until": "tomorrow"}, "invalid_request", "loan_approval", ["penalty"]),
        ({"amends": "cst_none"}, "not_found", "loan_approval", ["penalty"]),
    ],
)  # fmt: skip
async def test_a_refused_request_is_logged_without_its_texts(
    gateway: GatewayFixture,
    bank: Caller,
    changes: dict[str, Any],
    reason: str,
    purpose: str,
    asked: list[str],
) -> None:
    """R10: logged for the enterprise, known or unknown, without the request's texts."""
    for uscc in (gateway.uscc("clean"), UNKNOWN):
        assert (await request_consent(bank, uscc, **changes)).json()["code"] == reason
    there, nowhere = await gateway.log_of(bank)
    assert (there["uscc"], nowhere["uscc"]) == (gateway.uscc("clean"), UNKNOWN)
    for row in (there, nowhere):
        assert (row["kind"], row["outcome"], row["reason"]) == (
            "consent_request", "refused", reason,
        )  # fmt: skip
        assert (row["purpose"], row["asked"]) == (purpose, asked)


async def test_an_accepted_request_or_one_without_an_enterprise_is_no_refused_attempt(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """An open request has its own leaf; without an enterprise there is no log row."""
    assert (await request_consent(bank, gateway.uscc("clean"))).status_code == 201
    assert (await request_consent(bank, "nonsense")).status_code == 400
    assert (
        await request_consent(bank, gateway.uscc("clean"), type="credit_data")
    ).status_code == 400
    assert await gateway.log_of(bank) == []


async def test_a_client_without_an_agreement_leaves_its_attempts_in_the_log(
    gateway: GatewayFixture,
) -> None:
    """For an ended agreement and a suspended client."""
    bank, uscc = await gateway.client("bank"), gateway.uscc("clean")
    assert (await request_consent(bank, uscc)).status_code == 201
    suspend = "UPDATE client SET state = 'suspended' WHERE client_id = :client"
    await gateway.rows(suspend, client=bank.client_id)
    assert (await request_consent(bank, uscc)).json()["code"] == "client_suspended"
    [row] = await gateway.log_of(bank)
    assert (row["uscc"], row["reason"]) == (uscc, "client_suspended")


async def test_asks_beyond_a_limit_are_summed_as_what_they_are(gateway: GatewayFixture) -> None:
    """Refusals for limits and for conflicting idempotency keys are counted by kind."""
    bank, uscc = await gateway.client("bank", quotas=Quotas(per_minute=2)), gateway.uscc("clean")
    assert (await request_consent(bank, uscc, key="one")).status_code == 201
    assert (await request_consent(bank, uscc, key="one", max_uses=2)).status_code == 409
    assert (await request_consent(bank, uscc, key="one")).status_code == 201
    assert (await request_consent(bank, uscc)).status_code == 429
    await write_counts(gateway.runtime)
    rows = await gateway.rows(
        "SELECT uscc, kind, reason, times FROM turned_away WHERE client_id = :client ORDER BY reason",
        client=bank.client_id,
    )
    sums = [tuple(row.values()) for row in rows]
    assert sums == [
        (uscc, "consent_request", "idempotency_conflict", 1),
        (uscc, "consent_request", "rate_limited", 1),
    ]
    assert await gateway.log_of(bank) == []


async def test_a_repeated_key_gets_the_same_bytes_and_makes_one_request(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Also concurrently; with another body the key is a conflict."""
    uscc = gateway.uscc("clean")
    answers = await asyncio.gather(*(request_consent(bank, uscc, key="loan-17") for _ in range(6)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    listed = (await bank.send(PATH, b"", method="GET", scope=SCOPE)).json()["consents"]
    assert len(listed) == 1
    assert (await request_consent(bank, uscc, key="loan-17", max_uses=2)).json()["code"] == (
        "idempotency_conflict"
    )


async def test_a_newer_request_takes_the_place_of_an_open_one(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """One open request of a client for each relation."""
    uscc = gateway.uscc("clean")
    first, second = (
        (await request_consent(bank, uscc)).json(),
        (await request_consent(bank, uscc, max_uses=5)).json(),
    )
    assert (await read_consent(bank, first["consent_id"]))["status"] == "withdrawn"
    assert (await read_consent(bank, second["consent_id"]))["status"] == "requested"


async def test_one_of_concurrent_requests_stays_open(gateway: GatewayFixture, bank: Caller) -> None:
    """Each transaction sees the one before it."""
    uscc = gateway.uscc("clean")
    answers = await asyncio.gather(*(request_consent(bank, uscc) for _ in range(8)))
    assert {each.status_code for each in answers} == {201}
    states = [(await read_consent(bank, each.json()["consent_id"]))["status"] for each in answers]
    assert sorted(states) == ["requested"] + 7 * ["withdrawn"]


async def test_a_repeated_key_gets_the_same_bytes_after_a_decision(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Also after the enterprise shortened the term."""
    uscc = gateway.uscc("clean")
    first = await request_consent(bank, uscc, key="loan-18")
    until = gateway.clock() + timedelta(days=1)

    def shorten(held: Consent, *, person: Person, now: datetime) -> Transition | Refused:
        scope = replace(held.scope, valid_until=until)
        return consent.grant(held, scope=scope, person=person, shown=SHOWN, now=now)

    await gateway.act(shorten, first.json()["consent_id"])
    assert (await request_consent(bank, uscc, key="loan-18")).content == first.content


async def test_inside_the_cool_down_nothing_may_be_asked(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """R9: for this purpose; another purpose is not affected."""
    uscc = gateway.uscc("clean")
    await gateway.act(refuse, (await request_consent(bank, uscc)).json()["consent_id"])
    refused = await request_consent(bank, uscc)
    assert (refused.status_code, refused.json()["code"]) == (403, "cooling_down")
    ends = gateway.clock() + timedelta(days=30)
    assert int(refused.headers["Retry-After"]) == timedelta(days=30).total_seconds()
    assert refused.json()["detail"].endswith(f"ask again from {format_time(ends)} on.")
    assert [row["reason"] for row in await gateway.log_of(bank)] == ["cooling_down"]
    with gateway.clock.later(days=31):
        assert (await request_consent(bank, uscc)).status_code == 201


async def test_a_consent_granted_by_link_allows_a_query(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """With a client_credentials token; a single use, then `consent_exhausted`."""
    uscc = gateway.uscc("penalised")
    made = (await request_consent(bank, uscc)).json()
    assert (await bank.query(uscc, "penalty")).json()["code"] == "not_available"
    await gateway.act(grant_all, made["consent_id"])
    told = await bank.query(uscc, "penalty")
    assert told.status_code == 200, told.text
    assert told.json()["consent"]["uses_left"] == 0
    assert (await bank.query(uscc, "penalty")).json()["code"] == "consent_exhausted"


async def test_a_client_may_wait_for_the_answer(gateway: GatewayFixture, bank: Caller) -> None:
    """A long poll returns as soon as the request is decided."""
    made = (await request_consent(bank, gateway.uscc("clean"))).json()
    waiting = asyncio.create_task(read_consent(bank, made["consent_id"], wait=30))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await gateway.act(grant_all, made["consent_id"])
    assert (await asyncio.wait_for(waiting, PATIENCE))["status"] == "active"


async def test_a_decided_request_is_not_waited_for(gateway: GatewayFixture, bank: Caller) -> None:
    """A decided request returns at once; the wait is at most 30 seconds."""
    made = (await request_consent(bank, gateway.uscc("clean"))).json()
    await gateway.act(refuse, made["consent_id"])
    assert (await read_consent(bank, made["consent_id"], wait=30))["status"] == "refused"
    path = f"{PATH}/{made['consent_id']}?wait=31"
    answer = await bank.send(path, b"", method="GET", scope=SCOPE)
    assert answer.json()["code"] == "invalid_request"


async def test_a_suspended_client_cannot_ask(gateway: GatewayFixture, bank: Caller) -> None:
    """From the next request."""
    token_held = await bank.token(SCOPE)
    assert token_held
    async with gateway.runtime.engine.begin() as connection:
        await set_active(connection, bank.client_id, active=False)
    assert (await request_consent(bank, gateway.uscc("clean"))).json()["code"] == "client_suspended"


async def test_the_enterprise_sees_who_asked_and_when(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """The consent record shows the channel `link`."""
    uscc = gateway.uscc("clean")
    made = (await request_consent(bank, uscc)).json()
    async with gateway.runtime.engine.connect() as connection:
        [held] = [
            each
            for each in await stored_consents(connection, uscc)
            if each.consent_id == made["consent_id"]
        ]
        [event] = await consents.events_of(connection, uscc, held.consent_id)
    assert (held.status, event.channel, event.actor) == (
        Status.REQUESTED,
        "link",
        bank.client_id,
    )
    assert held.answer_by == held.requested_at + timedelta(days=7)


async def test_a_running_consent_is_amended_in_its_place(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Once granted, the old id has the new scope and the uses count on."""
    uscc = gateway.uscc("penalised")
    held = await gateway.grant(bank, uscc, datasets=("penalty",), max_uses=5)
    assert (await bank.query(uscc, "penalty", consent_id=held)).status_code == 200
    made = await request_consent(
        bank, uscc, amends=held, datasets=["penalty", "licence"], max_uses=3
    )
    assert made.status_code == 201, made.text
    before = await bank.query(uscc, "penalty", "licence", consent_id=held)
    assert [each["reason"] for each in before.json()["withheld"] if not each.get("fields")] == [
        "not_in_consent"
    ]

    async with gateway.runtime.engine.begin() as connection:
        amendment = await consents.by_id(connection, made.json()["consent_id"])
        running = await consents.by_id(connection, held)
        assert amendment is not None
        assert running is not None
        outcome = consent.amend(
            running,
            amendment,
            scope=amendment.scope,
            person=make_person(uscc),
            shown=SHOWN,
            now=gateway.clock(),
        )
        assert not isinstance(outcome, Refused)
        for old, new in zip((running, amendment), outcome, strict=True):
            assert await consent_log_writer.save(connection, old, new)

    told = await bank.query(uscc, "penalty", "licence", consent_id=held)
    assert told.json()["consent"]["uses_left"] == 0
    assert {each["dataset"] for each in told.json()["records"]} >= {"licence"}
    assert (await read_consent(bank, held))["datasets"] == ["penalty", "licence"]
    assert (await read_consent(bank, made.json()["consent_id"]))["status"] == "superseded"


async def test_only_ones_own_running_consent_is_amended(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Another client's, enterprise's or purpose's consent, or an ended one, is refused."""
    uscc = gateway.uscc("clean")
    foreign = await gateway.grant(await gateway.client("bank"), uscc)
    elsewhere = await gateway.grant(bank, gateway.uscc("penalised"))
    otherwise = await gateway.grant(bank, uscc, purpose="post_loan_management")
    ended = await gateway.grant(bank, uscc)
    await gateway.act(consent.withdraw, ended)
    for held, code in (
        (foreign, "not_found"),
        (elsewhere, "not_found"),
        (otherwise, "not_found"),
        ("cst_" + "a" * 26, "not_found"),
        (ended, "consent_withdrawn"),
    ):
        assert (await request_consent(bank, uscc, amends=held)).json()["code"] == code


async def test_uses_cannot_be_narrowed_below_those_spent_meanwhile(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """A use spent between read and save makes the save fail."""
    uscc = gateway.uscc("penalised")
    held_id = await gateway.grant(bank, uscc, datasets=("penalty",), max_uses=5)
    async with gateway.runtime.engine.connect() as connection:
        held = await consents.by_id(connection, held_id)
    assert held is not None
    less = replace(held.scope, max_uses=1)
    narrowed = consent.narrow(held, scope=less, person=make_person(uscc), now=gateway.clock())
    assert isinstance(narrowed, Transition)
    for _ in range(2):
        assert (await bank.query(uscc, "penalty", consent_id=held_id)).status_code == 200
    async with gateway.runtime.engine.begin() as connection:
        assert not await consent_log_writer.save(connection, held, narrowed)


async def test_a_client_keeps_the_record_without_the_persons_behind_it(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Own consents only; the acting person is replaced by the enterprise."""
    uscc = gateway.uscc("clean")
    held = await gateway.grant(bank, uscc)
    path = f"{PATH}/{held}/record"
    made = (await bank.send(path, b"", method="GET", scope=SCOPE)).json()
    acted = [each["dpv:isImplementedByEntity"] for each in made["record"]["xq:events"]]
    assert acted == [bank.client_id, uscc]
    assert make_person(uscc).subject not in json.dumps(made)
    assert "identityToken" not in json.dumps(made)
    other = await gateway.client("bank")
    refused = await other.send(path, b"", method="GET", scope=SCOPE)
    assert refused.status_code == 404
