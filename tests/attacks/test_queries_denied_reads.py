"""Refused queries read no records: statements and scanned rows do not depend on the enterprise.

Each call's statements are recorded, and those that read are run again under EXPLAIN ANALYZE, which counts
the rows that each table gave, those that a filter dropped among them. Calls refused alike read alike.
"""

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio

import consent
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture
from tests.statement_recorder import record_statements
from tests.undisclosed_records import FEW, MANY, connection_to, with_closed_records

pytestmark = pytest.mark.asyncio(loop_scope="session")


OF_THE_FILE = ("enterprise", "record")
"""Tables of the credit file, of which nothing may be read."""
WRITES = ("INSERT", "xinqiao_")
"""What stands in statements that write: the latter in the names of our functions."""


def rows_read(plan: Mapping[str, Any]) -> Counter[str]:
    """Rows scanned below this plan node, by table; 0 for tables without any."""
    read: Counter[str] = Counter()
    table = plan.get("Relation Name")
    if table in OF_THE_FILE and plan["Actual Loops"]:
        dropped = plan.get("Rows Removed by Filter", 0)
        dropped += plan.get("Rows Removed by Index Recheck", 0)
        read[table] += round((plan["Actual Rows"] + dropped) * plan["Actual Loops"])
    for each in plan.get("Plans", ()):
        read += rows_read(each)
    return read


async def reads(
    gateway: GatewayFixture, call: Callable[[], Awaitable[httpx2.Response]]
) -> list[Any]:
    """Status, code, statements and scanned rows of a call."""
    with record_statements(gateway.app) as database:
        answer = await call()
    told: list[Any] = [answer.status_code, answer.json().get("code")]
    async with connection_to(gateway) as connection:
        about_one = [each for each in database.asked if "uscc" in each[0].names]
        for statement, values in about_one:  # the background loops ask for other things
            rows: Counter[str] = Counter()
            if not any(each in statement.sql for each in WRITES):
                plan = await connection.fetchval(
                    f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.positional}",
                    *(values[name] for name in statement.names),
                )
                rows = rows_read(orjson.loads(plan)[0]["Plan"])
            told.append((statement.sql[-60:], dict(rows)))
    return told


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def enterprises(gateway: GatewayFixture) -> AsyncIterator[None]:
    """Add both enterprises."""
    async with with_closed_records(gateway):
        yield


async def make_bank(gateway: GatewayFixture, **terms: Any) -> Caller:
    """A client with a token."""
    bank = await gateway.client(**terms)
    await bank.token()
    return bank


async def no_consent(gateway: GatewayFixture, _uscc: str) -> Caller:
    """No consent."""
    return await make_bank(gateway)


async def consent_for_another_dataset(gateway: GatewayFixture, uscc: str) -> Caller:
    """A consent for other datasets."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc, datasets=["licence"])
    return bank


async def consent_for_another_purpose(gateway: GatewayFixture, uscc: str) -> Caller:
    """A consent for another purpose."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc, purpose="post_loan_management")
    return bank


async def withdrawn(gateway: GatewayFixture, uscc: str) -> Caller:
    """A withdrawn consent."""
    bank = await make_bank(gateway)
    await gateway.act(consent.withdraw, await gateway.grant(bank, uscc))
    return bank


async def paused(gateway: GatewayFixture, uscc: str) -> Caller:
    """A paused consent."""
    bank = await make_bank(gateway)
    await gateway.act(consent.pause, await gateway.grant(bank, uscc))
    return bank


async def expired(gateway: GatewayFixture, uscc: str) -> Caller:
    """An expired consent."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc, days=1, granted_days_ago=2)
    return bank


async def exhausted(gateway: GatewayFixture, uscc: str) -> Caller:
    """A consent without remaining uses."""
    bank = await make_bank(gateway)
    consent_id = await gateway.grant(bank, uscc, max_uses=1)
    await gateway.rows(
        "UPDATE consent SET uses = 1 WHERE uscc = :uscc AND consent_id = :id",
        uscc=uscc,
        id=consent_id,
    )
    return bank


async def not_in_agreement(gateway: GatewayFixture, uscc: str) -> Caller:
    """A consent beyond the agreement."""
    bank = await make_bank(
        gateway, datasets=frozenset({"registration"}), questions=frozenset({"is_active.v1"})
    )
    await gateway.grant(bank, uscc, datasets=["penalty"])
    return bank


async def purpose_not_in_agreement(gateway: GatewayFixture, uscc: str) -> Caller:
    """An agreement for another purpose."""
    bank = await make_bank(gateway, purposes=frozenset({"tender"}))
    await gateway.grant(bank, uscc)
    return bank


async def agreement_ended(gateway: GatewayFixture, uscc: str) -> Caller:
    """An agreement that ended after the token was issued."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc)
    await gateway.rows(
        "UPDATE agreement SET ended_at = now() - interval '1 minute' WHERE client_id = :id",
        id=bank.client_id,
    )
    return bank


async def suspended(gateway: GatewayFixture, uscc: str) -> Caller:
    """A client suspended after its token was issued."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc)
    await gateway.rows(
        "UPDATE client SET state = 'suspended' WHERE client_id = :id", id=bank.client_id
    )
    return bank


async def token_revoked(gateway: GatewayFixture, uscc: str) -> Caller:
    """A revoked token."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc)
    await gateway.rows(
        "UPDATE access_token SET revoked_at = now() WHERE client_id = :id", id=bank.client_id
    )
    return bank


REFUSED = (
    no_consent,
    consent_for_another_dataset,
    consent_for_another_purpose,
    withdrawn,
    paused,
    expired,
    exhausted,
    not_in_agreement,
    purpose_not_in_agreement,
    agreement_ended,
    suspended,
    token_revoked,
)

Situation = Callable[[GatewayFixture, str], Awaitable[Caller]]


@pytest.mark.parametrize("situation", REFUSED, ids=lambda each: each.__name__)
async def test_a_refused_query_reads_nothing_of_the_enterprise(
    gateway: GatewayFixture, situation: Situation
) -> None:
    """The same statements and rows, no record among them, for 300 penalties and none."""
    found = []
    for uscc in (MANY, FEW):
        bank = await situation(gateway, uscc)
        found.append(await reads(gateway, lambda: bank.query(uscc, "penalty")))  # noqa: B023
    assert found[0] == found[1]
    status, _, *statements = found[0]
    assert status in {401, 403}
    assert statements
    for _, rows in statements:
        assert not rows.get("record", 0)
        assert not rows.get("enterprise", 0)


async def test_without_consent_an_unknown_enterprise_is_read_like_a_known_one(
    gateway: GatewayFixture,
) -> None:
    """Unknown, clean, and with 300 penalties."""
    bank = await make_bank(gateway)
    found = [
        await reads(gateway, lambda: bank.query(uscc, "penalty", "registration"))  # noqa: B023
        for uscc in (UNKNOWN, FEW, MANY)
    ]
    assert found[0] == found[1] == found[2]


async def test_a_query_reads_allowed_datasets_only(gateway: GatewayFixture) -> None:
    """With consent for the registration, requested penalties are not read."""
    found = []
    for uscc in (MANY, FEW):
        bank = await make_bank(gateway)
        await gateway.grant(bank, uscc, datasets=["registration"])
        found.append(await reads(gateway, lambda: bank.query(uscc, "registration", "penalty")))  # noqa: B023
    assert found[0] == found[1]
    assert found[0][0] == 200
    assert sum(rows.get("enterprise", 0) for _, rows in found[0][2:])
    assert not sum(rows.get("record", 0) for _, rows in found[0][2:])


async def test_allowed_records_are_read(gateway: GatewayFixture) -> None:
    """Control: with consent 300 penalties are scanned."""
    bank = await make_bank(gateway)
    await gateway.grant(bank, MANY, datasets=["penalty"])
    found = await reads(gateway, lambda: bank.query(MANY, "penalty"))
    assert found[0] == 200
    assert sum(rows.get("record", 0) for _, rows in found[2:]) >= 300


async def test_a_further_page_and_a_repeat_are_read_after_the_last_use(
    gateway: GatewayFixture,
) -> None:
    """Both need no further use."""
    bank = await gateway.client()
    uscc = gateway.uscc("penalised")
    await gateway.grant(bank, uscc, datasets=["registration", "licence", "penalty"], max_uses=1)
    body = {"page": {"size": 1, "cursor": None}}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first = await bank.query(uscc, headers=key, **body)
    assert first.status_code == 200, first.text
    assert (await bank.query(uscc, headers=key, **body)).content == first.content
    cursor = first.json()["page"]["cursor"]
    assert cursor is not None
    further = await bank.query(uscc, page={"size": 1, "cursor": cursor})
    assert further.status_code == 200, further.text
    other = await bank.query(uscc, headers=key, page={"size": 2, "cursor": None})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def spend_all(gateway: GatewayFixture, consent_id: str) -> None:
    """Set the uses to the limit."""
    await gateway.rows(
        "UPDATE consent SET max_uses = 1, uses = 1 WHERE consent_id = :id", id=consent_id
    )


async def test_a_cursor_of_another_consent_reads_nothing_under_one_that_is_spent(
    gateway: GatewayFixture,
) -> None:
    """Its consent was withdrawn, and the active one has no uses left."""
    bank, uscc = await make_bank(gateway), gateway.uscc("penalised")
    datasets = ["registration", "licence", "penalty"]
    before = await gateway.grant(bank, uscc, datasets=datasets)
    first = await bank.query(uscc, *datasets, page={"size": 1, "cursor": None})
    await gateway.act(consent.withdraw, before)
    await spend_all(gateway, await gateway.grant(bank, uscc, datasets=datasets))
    page = {"size": 1, "cursor": first.json()["page"]["cursor"]}
    assert page["cursor"] is not None
    found = await reads(gateway, lambda: bank.query(uscc, *datasets, page=page))
    assert found[:2] == [403, "not_available"]
    assert not sum(rows.get("record", 0) for _, rows in found[2:])


@pytest.mark.parametrize("change", ["at = at - interval '25 hours'", "answer = ''"])
async def test_an_expired_stored_answer_discloses_nothing(
    gateway: GatewayFixture, change: str
) -> None:
    """Expired or deleted: refused with as few reads as any other."""
    bank = await make_bank(gateway)
    granted = await gateway.grant(bank, MANY, datasets=["penalty"])
    key = {"Idempotency-Key": secrets.token_hex(8)}
    assert (await bank.query(MANY, "penalty", headers=key)).status_code == 200
    await spend_all(gateway, granted)
    await gateway.rows(
        f"UPDATE idempotency SET {change} WHERE client_id = :id",  # noqa: S608  # one of the two
        id=bank.client_id,
    )
    found = await reads(gateway, lambda: bank.query(MANY, "penalty", headers=key))
    assert found[0] in {403, 409}
    assert not sum(rows.get("record", 0) for _, rows in found[2:])


@pytest.mark.parametrize(
    "situation",
    [not_in_agreement, purpose_not_in_agreement, agreement_ended, suspended, token_revoked],
    ids=lambda each: each.__name__,
)
async def test_a_refused_verification_reads_nothing_of_the_enterprise(
    gateway: GatewayFixture, situation: Situation
) -> None:
    """Public questions outside the agreement cost the same for every enterprise."""
    found = []
    for uscc in (MANY, FEW):
        bank = await situation(gateway, uscc)
        found.append(await reads(gateway, lambda: bank.verify(uscc, "no_live_penalty.v1")))  # noqa: B023
    assert found[0] == found[1]
    for _, rows in found[0][2:]:
        assert not rows.get("record", 0)
        assert not rows.get("enterprise", 0)


@pytest.mark.parametrize("situation", [no_consent, withdrawn, paused, expired, exhausted])
async def test_closed_questions_read_no_record_without_their_consent(
    gateway: GatewayFixture, situation: Situation
) -> None:
    """For any state of the consent."""
    uscc = gateway.uscc("clean")
    bank = await situation(gateway, uscc)
    found = await reads(gateway, lambda: bank.verify(uscc, ("rating_at_least.v1", "良好")))
    assert found[0] == 200
    assert not sum(rows.get("record", 0) for _, rows in found[2:])


async def test_a_consent_to_one_question_opens_no_dataset_of_another(
    gateway: GatewayFixture,
) -> None:
    """Only the datasets of the granted question are read."""
    uscc = gateway.uscc("clean")
    bank = await make_bank(gateway)
    await gateway.grant(bank, uscc, datasets=(), questions=["rating_at_least.v1"])
    one = await reads(gateway, lambda: bank.verify(uscc, ("rating_at_least.v1", "良好")))
    both = await reads(
        gateway,
        lambda: bank.verify(
            uscc, ("rating_at_least.v1", "良好"), ("paid_social_insurance_on_time.v1", "12")
        ),
    )
    assert one[0] == both[0] == 200
    count = [sum(rows.get("record", 0) for _, rows in each[2:]) for each in (one, both)]
    assert count[0] == count[1] > 0


async def test_a_token_of_another_enterprises_consent_reads_nothing(
    gateway: GatewayFixture,
) -> None:
    """A consent in the body that is not the caller's for this enterprise."""
    bank = await make_bank(gateway)
    other = await gateway.grant(bank, gateway.uscc("clean"))
    found = [
        await reads(gateway, lambda: bank.query(uscc, "penalty", consent_id=other))  # noqa: B023
        for uscc in (MANY, FEW, UNKNOWN)
    ]
    assert found[0] == found[1] == found[2]
    assert found[0][0] == 403


async def test_a_dataset_that_several_questions_rest_on_is_read_once(
    gateway: GatewayFixture,
) -> None:
    """One closed question with two values."""
    uscc = gateway.uscc("clean")
    bank = await make_bank(gateway)
    tags = ["paid_social_insurance_on_time.v1"]
    await gateway.grant(bank, uscc, datasets=(), questions=tags)
    one = await reads(
        gateway, lambda: bank.verify(uscc, ("paid_social_insurance_on_time.v1", "12"))
    )
    both = await reads(
        gateway,
        lambda: bank.verify(
            uscc,
            ("paid_social_insurance_on_time.v1", "12"),
            ("paid_social_insurance_on_time.v1", "3"),
        ),
    )
    count = [sum(rows.get("record", 0) for _, rows in each[2:]) for each in (one, both)]
    assert count[0] == count[1] > 0
