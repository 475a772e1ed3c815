"""Retention deletes every version, once, with a proof, and nothing of it can be asked for again."""

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from gateway.background.housekeeping import run_retention
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, load_catalogue
from gateway.creditfile.history import Change, file_at, mark_record
from gateway.creditfile.local_dates import day_of, months_after
from gateway.creditfile.objections import store
from gateway.creditfile.objections.model import ObjectionOutcome, Status
from gateway.creditfile.records import Record
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.delete import Deleter
from gateway.creditfile.tables import record
from tests.creditfile_builders import a_record
from tests.house import House
from tests.objection_builders import a_fresh_enterprise, object_to
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")


def deleter_of(house: House) -> Deleter:
    """What the gateway's sweeper uses."""
    runtime = house.runtime
    return Deleter(
        engine=runtime.engine,
        keys=runtime.keys,
        catalogue=runtime.catalogue,
        issuer=house.issuer,
    )


def five_years_ago(house: House, days: int = 0) -> str:
    """The determination whose retention ends today, or `days` later."""
    return (months_after(day_of(house.clock()), -60) + timedelta(days=days)).isoformat()


async def kept(house: House, dataset: str = "penalty", **changed: Any) -> Record:
    """A record in a new enterprise's file, or in that of `uscc`."""
    made = a_record(
        dataset,
        record_id=f"rec_{secrets.token_hex(8)}",
        **{"uscc": changed.pop("uscc", None) or await a_fresh_enterprise(house), **changed},
    )
    made = replace(made, natural_key=f"{made.natural_key}-{made.record_id}")
    known = {column.name for column in record.columns}
    row = {n: v for n in known if (v := getattr(made, n)) is not None}
    async with house.runtime.engine.begin() as connection:
        await connection.execute(insert(record).values(row | {"fields": dict(made.fields)}))
    return made


async def is_there(house: House, made: Record) -> bool:
    """Whether any version of the record is."""
    found = await house.rows(
        """SELECT (SELECT count(*) FROM record WHERE record_id = :id)
                + (SELECT count(*) FROM record_history WHERE record_id = :id) AS rows""",
        id=made.record_id,
    )
    return bool(found[0]["rows"])


async def proofs_with(house: House, made: Record, version: int = 1) -> int:
    """How many proofs say that this version is gone; each of them verified."""
    keys, found = house.runtime.keys.published(), 0
    for row in await house.rows("SELECT statement, salt, commitments FROM deletion_proof"):
        document = deletion_proof.proof_document(row["statement"], row["salt"], row["commitments"])
        deletion_proof.verify(document, keys)
        found += (
            deletion_proof.commitment(row["salt"], made.record_id, version) in row["commitments"]
        )
    return found


def old(house: House, days: int = -1) -> dict[str, Any]:
    """A penalty's dates such that its retention ended yesterday."""
    on = five_years_ago(house, days)
    return {"decided_on": on, "determined_on": on, "published_on": on}


async def a_breach(house: House, **changed: Any) -> Record:
    """A broken commitment, which is told until its retention ends: tonight."""
    on = five_years_ago(house)
    return await kept(
        house, "commitment", fulfilment="broken", committed_on=on, determined_on=on, **changed
    )


async def test_retention_deletes_what_is_over_and_not_a_day_earlier(house: House) -> None:
    """Five years after determination, to the end of the day; what is not bad stays for good."""
    over, last_day = await kept(house, **old(house)), await kept(house, **old(house, 0))
    commitment = await kept(house, "commitment", committed_on="2010-01-05")
    await deleter_of(house).run(now=house.clock())
    assert not await is_there(house, over)
    assert await is_there(house, last_day)
    assert await is_there(house, commitment)
    assert await proofs_with(house, over) == 1
    with house.clock.later(days=1):
        await deleter_of(house).run(now=house.clock())
    assert not await is_there(house, last_day)


async def test_retention_lasts_while_the_enterprise_is_on_the_serious_list(house: House) -> None:
    """And ends once it is off, for the penalty and for the listing."""
    penalty = await kept(house, **old(house, -400))
    listing = await kept(house, "serious_violation", uscc=penalty.uscc, added_on="2015-02-01")
    await deleter_of(house).run(now=house.clock())
    assert await is_there(house, penalty)
    assert await is_there(house, listing)
    await house.rows(
        "UPDATE record SET removed_on = :day WHERE record_id = :id",
        day=day_of(house.clock()),
        id=listing.record_id,
    )
    await deleter_of(house).run(now=house.clock())
    assert not await is_there(house, penalty)
    assert not await is_there(house, listing)


async def test_the_serious_list_counts_although_it_is_itself_kept_for_ever(house: House) -> None:
    """A catalogue may end its retention; what is deleted meanwhile does not come back."""
    penalty = await kept(house, **old(house, -400))
    await kept(house, "serious_violation", uscc=penalty.uscc, added_on="2015-02-01")
    document = PUBLISHED_CATALOGUE.read_text(encoding="utf-8").replace(
        "until_removed: true\n    retention_months: 60", "until_removed: true"
    )
    deleter = replace(deleter_of(house), catalogue=load_catalogue(document))
    await deleter.run(now=house.clock())
    assert await is_there(house, penalty)


async def test_retention_takes_every_version_and_proves_each(house: House) -> None:
    """What was held on a day long ago cannot be asked for any more."""
    made = await kept(house, **old(house))
    async with house.runtime.engine.begin() as connection:
        await mark_record(
            connection,
            made.uscc,
            made.record_id,
            {"repaired_at": house.clock()},
            Change(kind="repaired", actor="source"),
            now=house.clock(),
        )
    await deleter_of(house).run(now=house.clock())
    assert [await proofs_with(house, made, version) for version in (1, 2, 3)] == [1, 1, 0]
    for days in (0, 1, 30):
        async with house.runtime.engine.connect() as connection:
            held = await file_at(connection, made.uscc, house.clock() - timedelta(days=days))
        assert held.records == ()


async def test_retention_leaves_no_word_of_an_objection(house: House) -> None:
    """It ends, and its texts, its reasons and those in its history are gone."""
    made = await a_breach(house)
    raised = await object_to(house, made, text="这段话会被删除。")
    with house.clock.later(days=1):
        await deleter_of(house).run(now=house.clock())
    async with house.runtime.engine.connect() as connection:
        found = await store.by_id(connection, raised.objection_id)
        events = await store.events_of(connection, raised.uscc, raised.objection_id)
    assert found is not None
    assert (found.status, found.outcome) == (Status.CLOSED, ObjectionOutcome.RECORD_DELETED)
    assert (found.text, found.wanted, found.reasons) == (None, None, None)
    assert [each.what.value for each in events] == ["raised", "forgotten"]
    assert {each.reason for each in events} == {None}


async def test_retention_leaves_no_word_anywhere_in_the_database(house: House) -> None:
    """Every column of every table, searched for what only this record said."""
    mark_ = f"只有这里才有的话{secrets.token_hex(8)}"
    made = await a_breach(house, content=mark_, number=mark_)
    await object_to(house, made, text=mark_, wanted=mark_)
    before = await tables_with(house, mark_)
    assert {"record", "objection"} <= before
    with house.clock.later(days=1):
        await deleter_of(house).run(now=house.clock())
    assert await tables_with(house, mark_) == set()


async def test_retention_leaves_no_kept_answer_and_spends_nothing_anew(house: House) -> None:
    """A call that repeats its key is told that the answer is gone."""
    bank = await house.client()
    made = await a_breach(house)
    consent_id = await house.grant(bank, made.uscc, datasets=["commitment"])
    key = {"Idempotency-Key": "before-the-end"}
    assert (await bank.query(made.uscc, "commitment", headers=key)).status_code == 200
    # The sweeper's clock is a day ahead of the bank's, so that the key itself still counts.
    await deleter_of(house).run(now=house.clock() + timedelta(days=1))
    again = await bank.query(made.uscc, "commitment", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")
    assert await house.uses(consent_id) == 1


async def test_retention_deletes_once_however_many_workers_do_it(house: House) -> None:
    """Each version is in one proof."""
    made = [await kept(house, **old(house)) for _ in range(45)]
    runs = await asyncio.gather(*(deleter_of(house).run(now=house.clock()) for _ in range(4)))
    assert sum(each.records for each in runs) >= len(made)
    for each in made:
        assert not await is_there(house, each)
        assert await proofs_with(house, each) == 1


async def test_retention_does_not_wait_for_a_record_that_is_being_changed(house: House) -> None:
    """It is left for the next round, and nobody waits in a ring."""
    busy, free = await kept(house, **old(house)), await kept(house, **old(house))
    async with house.runtime.engine.begin() as connection:
        await store.lock_record(connection, busy.uscc, busy.record_id)
        async with asyncio.timeout(PATIENCE):
            await deleter_of(house).run(now=house.clock())
    assert await is_there(house, busy)
    assert not await is_there(house, free)
    await deleter_of(house).run(now=house.clock())
    assert not await is_there(house, busy)


async def test_the_sweeper_sees_to_each_day_once(house: House) -> None:
    """What comes later the same day waits for the next; what it left over is not forgotten."""
    with house.clock.later(days=2):
        first = await kept(house, **old(house))
        assert await run_retention(house.runtime) >= 1
        assert not await is_there(house, first)
        second = await kept(house, **old(house))
        assert await run_retention(house.runtime) == 0
        assert await is_there(house, second)
    with house.clock.later(days=3):
        assert await run_retention(house.runtime) >= 1
    assert not await is_there(house, second)


async def test_each_proof_is_a_leaf_of_the_log(house: House) -> None:
    """So that none can be made afterwards, or taken away."""
    await kept(house, **old(house))
    await deleter_of(house).run(now=house.clock())
    missing = await house.rows(
        """SELECT p.deletion_id FROM deletion_proof p
           WHERE NOT EXISTS (SELECT FROM pending_leaf l
                             WHERE l.disclosure_id = p.deletion_id AND l.leaf_hash = p.leaf_hash)
             AND NOT EXISTS (SELECT FROM log_entry e
                             WHERE e.disclosure_id = p.deletion_id AND e.leaf_hash = p.leaf_hash)"""
    )
    assert missing == []


async def tables_with(house: House, words: str) -> set[str]:
    """Every table in which some column holds these words."""
    names = await house.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    found = set()
    for name in (row["table_name"] for row in names):
        hits = await house.rows(
            f"SELECT 1 FROM {name} t WHERE strpos(CAST(to_jsonb(t) AS text), :words) > 0 LIMIT 1",  # noqa: S608  # the schema's own names
            words=words,
        )
        found |= {name} if hits else set()
    return found
