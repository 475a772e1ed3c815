"""Consent store on PostgreSQL: persistence, optimistic locking, uses spent atomically."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from consent import (
    Act,
    Channel,
    Consent,
    Granted,
    Purpose,
    Reason,
    Refused,
    Status,
    Transition,
    consent_id_from,
    decide,
    grant,
    pause,
    refuse,
    request,
    status_at,
    store,
    supersede,
    withdraw,
    writer,
)
from consent.tables import consent_events, consent_locators, consents
from consent.use_counter import READ_CONSENT, SPEND, consent_from_json
from tests.consent_builders import (
    A_DAY,
    NOON,
    SHOWN,
    make_ask,
    make_consent,
    make_consent_request,
    make_event_of,
    make_person,
    must_succeed,
    stored_consents,
)
from tests.waiting import lock_waits

pytestmark = pytest.mark.asyncio

READ = text(f"SELECT {READ_CONSENT} AS consent")  # only constants
SPENT = text(f"WITH spent AS ({SPEND}) SELECT * FROM spent")  # noqa: S608  # only constants
TABLES = [consents, consent_events, consent_locators]
SPEND_USE = import_module("gateway.migrations.versions.0054_disclose_in_one_function").SPEND_USE


@pytest_asyncio.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """Engine on a schema of its own with the consent tables."""
    schema = f"consent_{secrets.token_hex(6)}"
    made = create_async_engine(
        postgres_url,
        pool_size=10,
        connect_args={"server_settings": {"search_path": schema, "timezone": "Asia/Shanghai"}},
    )
    async with made.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA {schema}"))
        await connection.run_sync(lambda sync: consents.metadata.create_all(sync, tables=TABLES))
        await connection.execute(text(SPEND_USE))
    yield made
    async with made.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await made.dispose()


@pytest_asyncio.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Connection in a transaction that is rolled back."""
    async with engine.connect() as opened:
        yield opened


def some_uscc() -> str:
    """A new USCC."""
    return "91" + secrets.token_hex(8).upper()


def some_id() -> str:
    """A new consent id."""
    return consent_id_from(secrets.token_bytes(16))


async def keep(connection: AsyncConnection, consent: Consent) -> Consent:
    """Store a consent."""
    await writer.insert(connection, consent, make_event_of(consent))
    return consent


async def committed(engine: AsyncEngine, consent: Consent) -> Consent:
    """Store a consent and commit."""
    async with engine.begin() as connection:
        return await keep(connection, consent)


async def act(
    connection: AsyncConnection, before: Consent, outcome: Transition | Refused
) -> Consent:
    """Save an act, which must succeed."""
    after = must_succeed(outcome)
    assert isinstance(outcome, Transition)
    assert await writer.save(connection, before, after, outcome.event)
    return after


async def read(
    connection: AsyncConnection,
    granted: Consent,
    *,
    consent_id: str | None = None,
    **other: str,
) -> Consent | None:
    """Result of the gateway's read statement."""
    parameters = {
        "uscc": granted.uscc,
        "client_id": granted.client_id,
        "purpose": granted.purpose.value,
        "consent_id": consent_id,
    }
    found = (await connection.execute(READ, parameters | other)).scalar_one()
    return None if found is None else consent_from_json(_object(found))


def _object(value: str | dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return parsed


async def spend(
    connection: AsyncConnection, consent: Consent, now: datetime = NOON
) -> Sequence[Any]:
    """Result of the gateway's write statement."""
    parameters = {
        "uscc": consent.uscc,
        "consent_id": consent.consent_id,
        "client_id": consent.client_id,
        "consent_version": consent.version,
        "now": now,
    }
    return (await connection.execute(SPENT, parameters)).all()


async def test_a_consent_comes_back_as_it_was_kept(connection: AsyncConnection) -> None:
    """By id, by relation and through the read statement's JSON."""
    kept = await keep(
        connection,
        make_consent(
            uscc=some_uscc(),
            consent_id=some_id(),
            uses=3,
            requested_at=NOON - A_DAY + timedelta(microseconds=120_000),
        ),
    )
    assert await store.by_id(connection, kept.consent_id) == kept
    assert await read(connection, kept) == kept
    assert await read(connection, kept, consent_id=kept.consent_id) == kept
    assert await stored_consents(connection, kept.uscc) == [kept]


async def test_an_unknown_consent_is_none(connection: AsyncConnection) -> None:
    """No row, no error."""
    assert await store.by_id(connection, some_id()) is None
    assert await store.locate(connection, some_id()) is None
    assert await store.last_refusal(connection, "bank-1", some_uscc(), Purpose.TENDER) is None
    assert await store.events_of(connection, some_uscc(), some_id()) == []
    assert await read(connection, make_consent(uscc=some_uscc())) is None


async def test_a_whole_life_is_kept_act_by_act(connection: AsyncConnection) -> None:
    """Each act is a row with actor, channel, time and resulting scope."""
    ask = make_consent_request(uscc=some_uscc())
    begun = request(
        replace(ask, valid_until=NOON + 10 * A_DAY, max_uses=5),
        consent_id=some_id(),
        channel=Channel.REDIRECT,
        now=NOON,
    )
    assert isinstance(begun, Transition)
    await writer.insert(connection, begun.consent, begun.event)
    me = make_person(begun.consent.uscc)
    narrower = replace(begun.consent.scope, datasets=("penalty",), max_uses=2, separate_consents=())
    granted = await act(
        connection,
        begun.consent,
        grant(begun.consent, scope=narrower, person=me, shown=SHOWN, now=NOON),
    )
    withdrawn = await act(connection, granted, withdraw(granted, person=me, now=NOON + A_DAY))
    assert await store.by_id(connection, withdrawn.consent_id) == withdrawn
    events = await store.events_of(connection, begun.consent.uscc, withdrawn.consent_id)
    assert [(event.seq, event.what) for event in events] == [
        (1, Act.REQUESTED),
        (2, Act.GRANTED),
        (3, Act.WITHDRAWN),
    ]
    assert events[0] == begun.event
    assert events[1].scope == narrower
    assert (events[1].text_version, events[1].identity_token_digest) == ("2026.1", b"\x01" * 32)


async def test_the_later_of_two_concurrent_acts_is_refused(engine: AsyncEngine) -> None:
    """The second save finds a changed version; neither row nor event is overwritten."""
    consent = await committed(engine, make_consent(uscc=some_uscc(), consent_id=some_id()))
    me = make_person(consent.uscc)

    async def save(outcome: Transition | Refused) -> bool:
        assert isinstance(outcome, Transition)
        async with engine.begin() as connection:
            return await writer.save(connection, consent, outcome.consent, outcome.event)

    acts = [pause(consent, person=me, now=NOON), withdraw(consent, person=me, now=NOON)] * 5
    saved = await asyncio.gather(*(save(outcome) for outcome in acts))
    assert sorted(saved) == [False] * 9 + [True]
    async with engine.connect() as connection:
        events = await store.events_of(connection, consent.uscc, consent.consent_id)
    assert len(events) == 2


async def test_an_act_loses_no_use_that_was_spent_meanwhile(connection: AsyncConnection) -> None:
    """`save` does not write the count of uses."""
    consent = await keep(connection, make_consent(uscc=some_uscc(), consent_id=some_id()))
    assert len(await spend(connection, consent)) == 1
    await act(connection, consent, pause(consent, person=make_person(consent.uscc), now=NOON))
    stored = await store.by_id(connection, consent.consent_id)
    assert stored is not None
    assert (stored.uses, stored.status) == (1, Status.PAUSED)


async def test_the_latest_grant_applies_to_its_relation(connection: AsyncConnection) -> None:
    """Pending, refused and superseded ones are skipped; a withdrawn one is found."""
    uscc = some_uscc()
    old = await keep(
        connection, make_consent(uscc=uscc, consent_id=some_id(), decided_at=NOON - A_DAY)
    )
    new = await keep(connection, make_consent(uscc=uscc, consent_id=some_id(), decided_at=NOON))
    me = make_person(uscc)
    await act(connection, old, supersede(old, newer=new, person=me, now=NOON))
    pending = await keep(
        connection,
        must_succeed(
            request(
                make_consent_request(uscc=uscc, max_uses=None),
                consent_id=some_id(),
                channel=Channel.API,
                now=NOON,
            ),
        ),
    )
    assert await read(connection, new) == new
    assert await store.open_for(connection, new.client_id, uscc, new.purpose) in (
        [pending, new],
        [new, pending],
    )
    await act(connection, pending, refuse(pending, person=me, shown=SHOWN, now=NOON + A_DAY / 2))
    assert await read(connection, new) == new
    gone = await act(connection, new, withdraw(new, person=me, now=NOON))
    assert await read(connection, new) == gone
    assert decide(gone, make_ask(uscc=uscc), now=NOON) == Refused(Reason.CONSENT_WITHDRAWN)


async def test_a_consent_is_read_by_its_own_client_and_enterprise_only(
    connection: AsyncConnection,
) -> None:
    """The id alone is not enough."""
    mine = await keep(connection, make_consent(uscc=some_uscc(), consent_id=some_id()))
    assert await read(connection, mine, consent_id=mine.consent_id, client_id="bank-2") is None
    assert await read(connection, mine, consent_id=mine.consent_id, uscc=some_uscc()) is None
    assert await read(connection, mine, purpose="tender") is None


async def test_the_refusal_that_cools_down_last_is_found(connection: AsyncConnection) -> None:
    """Also if an earlier refusal has the longer cool-down."""
    uscc = some_uscc()
    long, short = [
        await keep(
            connection,
            make_consent(
                uscc=uscc,
                consent_id=some_id(),
                status=Status.REFUSED,
                decided_at=NOON + days * A_DAY,
                cool_down_until=NOON + until * A_DAY,
            ),
        )
        for days, until in [(0, 60), (10, 40)]
    ]
    assert await store.last_refusal(connection, long.client_id, uscc, long.purpose) == long
    assert short.decided_at is not None


async def test_a_client_lists_its_own_consents_page_by_page(connection: AsyncConnection) -> None:
    """In order of ids, each once, without other clients' consents."""
    client = f"bank-{secrets.token_hex(4)}"
    mine = [
        await keep(
            connection, make_consent(client_id=client, uscc=some_uscc(), consent_id=some_id())
        )
        for _ in range(5)
    ]
    await keep(connection, make_consent(client_id="bank-2", uscc=some_uscc(), consent_id=some_id()))
    seen: list[Consent] = []
    while page := await store.of_client(
        connection,
        client,
        now=NOON,
        after=seen[-1].consent_id if seen else "",
        limit=2,
    ):
        seen += page
    assert seen == sorted(mine, key=lambda consent: consent.consent_id)


async def test_the_database_and_the_model_agree_on_every_status(
    connection: AsyncConnection,
) -> None:
    """`status_at` in SQL and in Python, for each state, time and count."""
    client = f"bank-{secrets.token_hex(4)}"
    around = (NOON - A_DAY, NOON, NOON + A_DAY)
    kept = [
        await keep(
            connection,
            make_consent(
                client_id=client,
                uscc=some_uscc(),
                consent_id=some_id(),
                status=status,
                answer_by=answer_by,
                valid_until=valid_until,
                max_uses=max_uses,
                uses=1,
            ),
        )
        for status, answer_by, valid_until, max_uses in product(
            Status,
            around,
            around,
            (None, 1, 2),
        )
    ]
    for status in Status:
        found = await store.of_client(connection, client, status, now=NOON, limit=1000)
        expected = {consent.consent_id for consent in kept if status_at(consent, NOON) is status}
        assert {consent.consent_id for consent in found} == expected


async def test_a_use_is_spent_and_counted(connection: AsyncConnection) -> None:
    """The statement returns the count after this use, and the limit."""
    consent = await keep(
        connection, make_consent(uscc=some_uscc(), consent_id=some_id(), max_uses=2)
    )
    (first,) = await spend(connection, consent)
    assert (first.consent_id, first.uses, first.max_uses) == (consent.consent_id, 1, 2)
    assert first.valid_until == consent.valid_until
    (second,) = await spend(connection, consent)
    assert second.uses == 2
    assert await spend(connection, consent) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.REQUESTED},
        {"status": Status.REFUSED},
        {"status": Status.PAUSED},
        {"status": Status.WITHDRAWN},
        {"status": Status.EXPIRED},
        {"status": Status.EXHAUSTED},
        {"status": Status.SUPERSEDED},
        {"valid_until": NOON},
        {"uses": 10},
    ],
)
async def test_nothing_is_spent_on_what_does_not_hold(
    connection: AsyncConnection,
    changes: dict[str, Any],
) -> None:
    """The write statement checks the state itself."""
    consent = await keep(
        connection, make_consent(uscc=some_uscc(), consent_id=some_id(), **changes)
    )
    assert await spend(connection, consent) == []


@pytest.mark.parametrize(
    "other",
    [{"client_id": "bank-2"}, {"uscc": "91330106MA2CYYYY2B"}, {"version": 3}, {"version": 1}],
)
async def test_nothing_is_spent_for_another_or_on_another_version(
    connection: AsyncConnection,
    other: dict[str, Any],
) -> None:
    """A consent that changed since it was read must be read again."""
    consent = await keep(connection, make_consent(uscc=some_uscc(), consent_id=some_id()))
    assert await spend(connection, replace(consent, **other)) == []


async def test_a_call_without_consent_runs_the_same_statements(connection: AsyncConnection) -> None:
    """Typed null parameters match no row."""
    nothing = {"uscc": some_uscc(), "client_id": "bank-1", "consent_id": None}
    assert (await connection.execute(READ, nothing | {"purpose": "tender"})).scalar_one() is None
    spent = await connection.execute(SPENT, nothing | {"consent_version": None, "now": NOON})
    assert spent.all() == []


async def test_n_allowed_uses_are_n_disclosures_under_any_concurrency(engine: AsyncEngine) -> None:
    """R8: 500 calls on 10 connections spend exactly the 100 allowed uses."""
    consent = await committed(
        engine,
        make_consent(uscc=some_uscc(), consent_id=some_id(), max_uses=100),
    )
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def calls(number: int) -> list[int]:
        async with autocommit.connect() as connection:
            spent = [await spend(connection, consent) for _ in range(number)]
        return [row.uses for rows in spent for row in rows]

    counts = await asyncio.gather(*(calls(50) for _ in range(10)))
    assert sorted(use for some in counts for use in some) == list(range(1, 101))
    async with engine.connect() as connection:
        stored = await store.by_id(connection, consent.consent_id)
    assert stored is not None
    assert stored.uses == 100
    assert decide(stored, make_ask(uscc=consent.uscc), now=NOON) == Refused(
        Reason.CONSENT_EXHAUSTED
    )


async def test_nothing_is_spent_after_a_withdrawal_is_committed(engine: AsyncEngine) -> None:
    """R9: concurrent calls wait for the withdrawal and then find nothing to spend."""
    consent = await committed(
        engine,
        make_consent(uscc=some_uscc(), consent_id=some_id(), max_uses=None),
    )
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    stop = asyncio.Event()

    async def calls() -> bool:
        async with autocommit.connect() as connection:
            while not stop.is_set():
                await spend(connection, consent)
            return await spend(connection, consent) == []

    running = [asyncio.create_task(calls()) for _ in range(6)]
    await asyncio.sleep(0.2)
    async with engine.begin() as connection:
        outcome = withdraw(consent, person=make_person(consent.uscc), now=NOON)
        await act(connection, consent, outcome)
    async with engine.connect() as connection:
        then = await store.by_id(connection, consent.consent_id)
    await asyncio.sleep(0.1)
    stop.set()
    assert all(await asyncio.gather(*running))
    async with engine.connect() as connection:
        later = await store.by_id(connection, consent.consent_id)
    assert then is not None
    assert then.uses > 0
    assert later == then


async def test_a_waiting_spend_sees_the_withdrawal_that_it_waited_for(engine: AsyncEngine) -> None:
    """The condition is evaluated on the row after the withdrawal."""
    consent = await committed(engine, make_consent(uscc=some_uscc(), consent_id=some_id()))
    async with engine.connect() as withdrawing, engine.connect() as spending:
        outcome = withdraw(consent, person=make_person(consent.uscc), now=NOON)
        await act(withdrawing, consent, outcome)
        waiting = asyncio.create_task(spend(spending, consent))
        await lock_waits(engine)
        assert not waiting.done()
        await withdrawing.commit()
        assert await waiting == []


async def test_a_judged_consent_is_spent_by_the_version_that_was_judged(
    connection: AsyncConnection,
) -> None:
    """Read, decide and spend agree."""
    kept = await keep(connection, make_consent(uscc=some_uscc(), consent_id=some_id()))
    seen = await read(connection, kept)
    granted = decide(seen, make_ask(uscc=kept.uscc), now=NOON)
    assert isinstance(granted, Granted)
    (spent,) = await spend(connection, replace(kept, version=granted.version))
    assert granted.uses_left is not None
    assert spent.max_uses - spent.uses == granted.uses_left - 1


@pytest.mark.parametrize(
    "broken",
    [
        {"uses": -1},
        {"uses": 11},
        {"max_uses": 0},
        {"datasets": (), "questions": ()},
        {"identity_token_digest": None},
        {"decided_at": None},
    ],
)
async def test_the_database_itself_refuses_what_cannot_be(
    connection: AsyncConnection,
    broken: dict[str, Any],
) -> None:
    """Constraints of the tables."""
    with pytest.raises(IntegrityError):
        await keep(connection, make_consent(uscc=some_uscc(), consent_id=some_id(), **broken))
