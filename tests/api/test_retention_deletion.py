"""Retention: deletion of all versions of a record, once, with a signed proof."""

import asyncio
import secrets
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.background.housekeeping import run_retention
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, load_catalogue
from gateway.creditfile.history import Change, file_at, mark_record
from gateway.creditfile.local_dates import day_of, midnight, months_after
from gateway.creditfile.objections import store
from gateway.creditfile.objections.model import ObjectionOutcome, Status
from gateway.creditfile.records import Record
from gateway.creditfile.repairs import store as repairs
from gateway.creditfile.repairs.model import PlatformFollowed
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.delete import Deleter
from gateway.creditfile.tables import record
from tests.creditfile_builders import make_record
from tests.gateway_fixture import GatewayFixture
from tests.objection_builders import make_fresh_enterprise, object_to
from tests.repair_builders import apply_for_repair
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")


def deleter_of(gateway: GatewayFixture) -> Deleter:
    """The deletion as housekeeping runs it."""
    runtime = gateway.runtime
    return Deleter(
        engine=runtime.engine,
        keys=runtime.keys,
        catalogue=runtime.catalogue,
        issuer=gateway.issuer,
    )


def five_years_ago(gateway: GatewayFixture, days: int = 0) -> str:
    """A determination whose retention ends today, or `days` later."""
    return (months_after(day_of(gateway.clock()), -60) + timedelta(days=days)).isoformat()


async def add_record(gateway: GatewayFixture, dataset: str = "penalty", **changed: Any) -> Record:
    """A record in a new enterprise's file, or in that of `uscc`."""
    made = make_record(
        dataset,
        record_id=f"rec_{secrets.token_hex(8)}",
        **{"uscc": changed.pop("uscc", None) or await make_fresh_enterprise(gateway), **changed},
    )
    made = replace(made, natural_key=f"{made.natural_key}-{made.record_id}")
    known = {column.name for column in record.columns}
    row = {n: v for n in known if (v := getattr(made, n)) is not None}
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(insert(record).values(row | {"fields": dict(made.fields)}))
    return made


async def is_there(gateway: GatewayFixture, made: Record) -> bool:
    """True if any version of the record exists."""
    found = await gateway.rows(
        """SELECT (SELECT count(*) FROM record WHERE record_id = :id)
                + (SELECT count(*) FROM record_history WHERE record_id = :id) AS rows""",
        id=made.record_id,
    )
    return bool(found[0]["rows"])


async def proofs_with(gateway: GatewayFixture, made: Record, version: int = 1) -> int:
    """Number of proofs of this version's deletion, each verified."""
    keys, found = gateway.runtime.keys.published(), 0
    for row in await gateway.rows("SELECT statement, salt, commitments FROM deletion_proof"):
        document = deletion_proof.proof_document(row["statement"], row["salt"], row["commitments"])
        deletion_proof.verify(document, keys)
        found += (
            deletion_proof.commitment(row["salt"], made.record_id, version) in row["commitments"]
        )
    return found


def old_dates(gateway: GatewayFixture, days: int = -1) -> dict[str, Any]:
    """Dates of a penalty whose retention ended yesterday."""
    on = five_years_ago(gateway, days)
    return {"decided_on": on, "determined_on": on, "published_on": on}


async def make_breach(gateway: GatewayFixture, **changed: Any) -> Record:
    """A broken commitment, disclosed until its retention ends tonight."""
    on = five_years_ago(gateway)
    return await add_record(
        gateway, "commitment", fulfilment="broken", committed_on=on, determined_on=on, **changed
    )


async def test_retention_deletes_what_is_over_and_not_a_day_earlier(
    gateway: GatewayFixture,
) -> None:
    """Five years after the determination, to the end of the day; positive records stay."""
    over, last_day = (
        await add_record(gateway, **old_dates(gateway)),
        await add_record(gateway, **old_dates(gateway, 0)),
    )
    commitment = await add_record(gateway, "commitment", committed_on="2010-01-05")
    await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, over)
    assert await is_there(gateway, last_day)
    assert await is_there(gateway, commitment)
    assert await proofs_with(gateway, over) == 1
    with gateway.clock.later(days=1):
        await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, last_day)


async def test_retention_deletes_applications_for_repair_and_platforms(
    gateway: GatewayFixture,
) -> None:
    """With their record; those of others stay."""
    made, other = await add_record(gateway), await add_record(gateway)
    now = midnight(date(2026, 11, 25))
    first = await apply_for_repair(gateway, made.uscc, made.record_id, now=now)
    await apply_for_repair(gateway, other.uscc, other.record_id, now=now)
    followed = PlatformFollowed(platform="gsxt", followed_on=day_of(now))
    async with gateway.runtime.engine.begin() as connection:
        await repairs.put_platform(connection, made.uscc, made.record_id, followed, now=now)
    await gateway.rows(
        "UPDATE record SET decided_on = :day, determined_on = :day WHERE record_id = :id",
        day=months_after(day_of(gateway.clock()), -61),
        id=made.record_id,
    )
    await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, made)
    for table, left in (("repair_application", 1), ("repair_platform", 0)):
        rows = await gateway.rows(
            f"SELECT 1 FROM {table} WHERE record_id IN (:one, :two)",  # noqa: S608
            one=made.record_id,
            two=other.record_id,
        )
        assert len(rows) == left, table
    located = "SELECT 1 FROM repair_application_locator WHERE application_id = :id"
    assert await gateway.rows(located, id=first.application_id) == []


async def test_retention_lasts_while_the_enterprise_is_on_the_serious_list(
    gateway: GatewayFixture,
) -> None:
    """Once it is off the list, retention ends; a suspended listing may come back."""
    penalty = await add_record(gateway, **old_dates(gateway, -400))
    added_on = f"{day_of(gateway.clock()) - timedelta(days=400)}"
    listing = await add_record(gateway, "serious_violation", uscc=penalty.uscc, added_on=added_on)
    await gateway.rows(
        "UPDATE record SET suspended_at = :now WHERE record_id = :id",
        now=gateway.clock(),
        id=listing.record_id,
    )
    await deleter_of(gateway).run(now=gateway.clock())
    assert await is_there(gateway, penalty)
    assert await is_there(gateway, listing)
    await gateway.rows(
        "UPDATE record SET removed_on = :day WHERE record_id = :id",
        day=day_of(gateway.clock()),
        id=listing.record_id,
    )
    await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, penalty)
    assert await is_there(gateway, listing), "five years from its own determination"


async def test_a_listing_whose_term_is_over_prolongs_no_retention(
    gateway: GatewayFixture,
) -> None:
    """Neither other records' retention nor its own, although its removal was not reported."""
    penalty = await add_record(gateway, **old_dates(gateway, -400))
    listing = await add_record(
        gateway, "serious_violation", uscc=penalty.uscc, added_on="2015-02-01"
    )
    await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, penalty)
    assert not await is_there(gateway, listing)


async def test_the_serious_list_counts_although_it_is_itself_kept_for_ever(
    gateway: GatewayFixture,
) -> None:
    """Although the list itself is never deleted."""
    penalty = await add_record(gateway, **old_dates(gateway, -400))
    added_on = f"{day_of(gateway.clock()) - timedelta(days=400)}"
    await add_record(gateway, "serious_violation", uscc=penalty.uscc, added_on=added_on)
    document = PUBLISHED_CATALOGUE.read_text(encoding="utf-8").replace(
        "months: 36}\n    retention_months: 60\n  judgment", "months: 36}\n  judgment"
    )
    deleter = replace(deleter_of(gateway), catalogue=load_catalogue(document))
    await deleter.run(now=gateway.clock())
    assert await is_there(gateway, penalty)


async def test_retention_takes_every_version_and_proves_each(gateway: GatewayFixture) -> None:
    """Historical reads find nothing either."""
    made = await add_record(gateway, **old_dates(gateway))
    async with gateway.runtime.engine.begin() as connection:
        await mark_record(
            connection,
            made.uscc,
            made.record_id,
            {"repaired_at": gateway.clock()},
            Change(kind="repaired", actor="source"),
            now=gateway.clock(),
        )
    await deleter_of(gateway).run(now=gateway.clock())
    assert [await proofs_with(gateway, made, version) for version in (1, 2, 3)] == [1, 1, 0]
    for days in (0, 1, 30):
        async with gateway.runtime.engine.connect() as connection:
            held = await file_at(connection, made.uscc, gateway.clock() - timedelta(days=days))
        assert held.records == ()


async def test_retention_leaves_no_word_of_an_objection(gateway: GatewayFixture) -> None:
    """The objection ends, and its texts, reasons and history texts are deleted."""
    made = await make_breach(gateway)
    raised = await object_to(gateway, made, text="这段话会被删除。")
    with gateway.clock.later(days=1):
        await deleter_of(gateway).run(now=gateway.clock())
    async with gateway.runtime.engine.connect() as connection:
        found = await store.by_id(connection, raised.objection_id)
        events = await store.events_of(connection, raised.uscc, raised.objection_id)
    assert found is not None
    assert (found.status, found.outcome) == (Status.CLOSED, ObjectionOutcome.RECORD_DELETED)
    assert (found.text, found.wanted, found.reasons) == (None, None, None)
    assert [each.what.value for each in events] == ["raised", "forgotten"]
    assert {each.reason for each in events} == {None}


async def test_retention_leaves_no_word_anywhere_in_the_database(gateway: GatewayFixture) -> None:
    """Searched in every column of every table."""
    mark_ = f"只有这里才有的话{secrets.token_hex(8)}"
    made = await make_breach(gateway, content=mark_, number=mark_)
    await object_to(gateway, made, text=mark_, wanted=mark_)
    before = await tables_with(gateway, mark_)
    assert {"record", "objection"} <= before
    with gateway.clock.later(days=1):
        await deleter_of(gateway).run(now=gateway.clock())
    assert await tables_with(gateway, mark_) == set()


async def test_retention_deletes_stored_answers_and_spends_nothing_again(
    gateway: GatewayFixture,
) -> None:
    """A repeated idempotency key says that the answer is gone."""
    bank = await gateway.client()
    made = await make_breach(gateway)
    consent_id = await gateway.grant(bank, made.uscc, datasets=["commitment"])
    key = {"Idempotency-Key": "before-the-end"}
    assert (await bank.query(made.uscc, "commitment", headers=key)).status_code == 200
    # The sweeper's clock is a day ahead of the bank's, so that the key itself still counts.
    await deleter_of(gateway).run(now=gateway.clock() + timedelta(days=1))
    again = await bank.query(made.uscc, "commitment", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")
    assert await gateway.uses(consent_id) == 1


async def test_retention_deletes_once_however_many_workers_do_it(gateway: GatewayFixture) -> None:
    """Each version is in one proof."""
    made = [await add_record(gateway, **old_dates(gateway)) for _ in range(45)]
    runs = await asyncio.gather(*(deleter_of(gateway).run(now=gateway.clock()) for _ in range(4)))
    assert sum(each.records for each in runs) >= len(made)
    for each in made:
        assert not await is_there(gateway, each)
        assert await proofs_with(gateway, each) == 1


async def test_retention_does_not_wait_for_a_record_that_is_being_changed(
    gateway: GatewayFixture,
) -> None:
    """Locked records are left to the next round."""
    busy, free = (
        await add_record(gateway, **old_dates(gateway)),
        await add_record(gateway, **old_dates(gateway)),
    )
    async with gateway.runtime.engine.begin() as connection:
        await store.lock_record(connection, busy.uscc, busy.record_id)
        async with asyncio.timeout(PATIENCE):
            await deleter_of(gateway).run(now=gateway.clock())
    assert await is_there(gateway, busy)
    assert not await is_there(gateway, free)
    await deleter_of(gateway).run(now=gateway.clock())
    assert not await is_there(gateway, busy)


async def test_the_sweeper_sees_to_each_day_once(gateway: GatewayFixture) -> None:
    """Records that become due later the same day wait; leftovers are taken the next day."""
    with gateway.clock.later(days=2):
        first = await add_record(gateway, **old_dates(gateway))
        assert await run_retention(gateway.runtime) >= 1
        assert not await is_there(gateway, first)
        second = await add_record(gateway, **old_dates(gateway))
        assert await run_retention(gateway.runtime) == 0
        assert await is_there(gateway, second)
    with gateway.clock.later(days=3):
        assert await run_retention(gateway.runtime) >= 1
    assert not await is_there(gateway, second)


async def test_each_proof_is_a_leaf_of_the_log(gateway: GatewayFixture) -> None:
    """With a log leaf for each proof."""
    await add_record(gateway, **old_dates(gateway))
    await deleter_of(gateway).run(now=gateway.clock())
    missing = await gateway.rows(
        """SELECT p.deletion_id FROM deletion_proof p
           WHERE NOT EXISTS (SELECT FROM pending_leaf l
                             WHERE l.disclosure_id = p.deletion_id AND l.leaf_hash = p.leaf_hash)
             AND NOT EXISTS (SELECT FROM log_entry e
                             WHERE e.disclosure_id = p.deletion_id AND e.leaf_hash = p.leaf_hash)"""
    )
    assert missing == []


async def tables_with(gateway: GatewayFixture, words: str) -> set[str]:
    """Tables with a column that contains this text."""
    names = await gateway.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    found = set()
    for name in (row["table_name"] for row in names):
        hits = await gateway.rows(
            f"SELECT 1 FROM {name} t WHERE strpos(CAST(to_jsonb(t) AS text), :words) > 0 LIMIT 1",  # noqa: S608  # the schema's own names
            words=words,
        )
        found |= {name} if hits else set()
    return found
