"""`record refold`: natural keys rewritten by `keys.v2`; ingest is refused until it is complete."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy import insert

from gateway.creditfile.history import file_at
from gateway.creditfile.natural_key_version import KeysDueError
from gateway.creditfile.natural_keys import fold
from gateway.creditfile.objections import service, store
from gateway.creditfile.objections.model import ObjectionChanged
from gateway.creditfile.personal_fields import open_record
from gateway.creditfile.records import Record
from gateway.creditfile.rekey_records import UnreadableError, merged_records
from gateway.creditfile.repairs import store as repairs
from gateway.creditfile.repairs.model import (
    ApplicationStatus,
    PlatformFollowed,
    RepairApplication,
)
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.delete import Deleter
from gateway.creditfile.tables import enterprise
from gateway.db.engine import make_engine
from gateway.ingest import BatchResult, RowWarning
from gateway.ingest.actions.effects import ActionContext
from gateway.ingest.actions.record_actions import RecordAction, apply_actions
from gateway.migrations.run import alembic_config, upgrade
from gateway.privacy.field_encryption import Vault
from gateway.privacy.reencryption import count_by_key
from gateway.signing.keys import KeyRing, new_key_file, read_keys
from tests.creditfile_builders import CATALOGUE, USCC, make_enterprise
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture
from tests.natural_keys_fixture import NOW, SOURCE, NaturalKeysFixture
from tests.objection_builders import try_raise
from tests.records_builders import call_as_source, make_department, make_penalty

DAY = timedelta(days=1)
DASH, HYPHEN = "杭测破〔2026〕3—12号", "杭测破〔2026〕3-12号"


@pytest_asyncio.fixture
async def files(postgres_url: str) -> AsyncIterator[NaturalKeysFixture]:
    """Empty credit files whose keys are due."""
    engine = make_engine(await new_database(postgres_url), pool_size=3)
    files = NaturalKeysFixture(engine)
    await files.are_due()
    yield files
    await engine.dispose()


def make_row(record: Record, **changed: Any) -> dict[str, Any]:
    return {**record.fields, "uscc": record.uscc, **changed}


async def test_a_key_is_folded_and_nothing_else_changes(files: NaturalKeysFixture) -> None:
    """Id, version and fields stay; a redelivery leaves it unchanged."""
    before = await files.hold(DASH)
    plain = await files.hold("浙罚2")
    (done,) = await files.refold()
    assert (done.records, done.folded, done.merged, done.given_up) == (2, 1, 0, 0)
    after = await files.held()
    assert after == [replace(before, natural_key=HYPHEN), plain]
    taken = await files.take("penalty", make_row(before), make_row(plain))
    assert [each.outcome for each in taken] == [BatchResult.UNCHANGED, BatchResult.UNCHANGED]
    assert await files.refold() == []


async def test_personal_fields_open_afterwards_and_so_do_earlier_versions(
    files: NaturalKeysFixture,
) -> None:
    """The ciphertexts are bound to the key; a redelivery leaves the record unchanged."""
    personal = {"person_id_number": "330106199001011234"}
    number = "（2026）浙执—１号"
    held = await files.hold(number, "judgment_defaulter", personal=personal)
    await files.run("""
        INSERT INTO record_history (uscc, record_id, version, replaced_at, change, actor, row, personal)
        SELECT uscc, record_id, 1, received_at + interval '1 day', 'updated', 'market',
               to_jsonb(r) - 'personal', personal FROM record AS r""")
    await files.run("UPDATE record SET version = 2, received_at = received_at + interval '1 day'")
    await files.refold()
    (after,) = await files.held()
    assert after.natural_key == "〔2026〕浙执-1号"
    assert open_record(files.vault, after) == personal
    assert held.received_at is not None
    async with files.engine.connect() as connection:
        (then,) = (await file_at(connection, USCC, held.received_at)).records
        assert then.version == 1
        assert open_record(files.vault, then) == personal
        assert (await count_by_key(connection))["record"] == {1: 1}
    (taken,) = await files.take("judgment_defaulter", make_row(after, **personal))
    assert (taken.outcome, taken.version) == (BatchResult.UNCHANGED, 2)


ENDS: dict[str, dict[str, Any]] = {
    "repaired": {"repaired_at": NOW - DAY},
    "suspended": {"suspended_at": NOW - DAY},
    "withdrawn": {"withdrawn_at": NOW - DAY},
    "live": {},
}


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("repaired", "live", "record_repaired"),
        ("suspended", "live", "record_suspended"),
        ("repaired", "suspended", "record_repaired"),
        ("suspended", "suspended", None),
        ("withdrawn", "live", "record_withdrawn"),
        ("withdrawn", "repaired", "record_withdrawn"),
        ("repaired", "repaired", None),
        ("withdrawn", "withdrawn", None),
    ],
)
async def test_of_two_merged_records_the_ended_one_prevails(
    files: NaturalKeysFixture, first: str, second: str, kind: str | None
) -> None:
    """The other record goes into history; its recipients get a correction notice (R14)."""
    kept = await files.hold(HYPHEN, **ENDS[first])
    other = await files.hold(DASH, source_time=NOW - DAY, **ENDS[second])
    await files.tell("bank_a", kept)
    told_of_other = await files.tell("bank_b", other)
    (done,) = await files.refold()
    assert done.merged == 1
    if first != second:
        assert await files.held() == [kept]
    (held,) = await files.held()
    (part,) = await files.run("SELECT * FROM record_history")
    assert {held.record_id, part["record_id"]} == {kept.record_id, other.record_id}
    assert (part["change"], part["merged_into"]) == ("merged", held.record_id)
    notices = await files.run("SELECT client_id, kind, record_id, disclosure_ids FROM tombstone")
    notice = {
        "client_id": "bank_b",
        "kind": kind,
        "record_id": other.record_id,
        "disclosure_ids": [told_of_other],
    }
    assert list(map(dict, notices)) == ([] if kind is None else [notice])
    (taken,) = await files.take("penalty", make_row(other, document_number=f" {DASH}"))
    assert taken.record_id == held.record_id
    assert taken.warnings[0] in {
        RowWarning.STAYS_REPAIRED,
        RowWarning.STAYS_SUSPENDED,
        RowWarning.STAYS_WITHDRAWN,
    }


async def test_of_two_live_records_the_newer_stays_and_the_other_is_corrected(
    files: NaturalKeysFixture,
) -> None:
    """The older record's versions stay in history; its source finds it in the report."""
    older = await files.hold(HYPHEN, fine="1.000000")
    newer = await files.hold(DASH, fine="2.000000", source_time=NOW - DAY, received_at=NOW - DAY)
    ids = await files.tell("bank", older, newer)
    await files.refold()
    assert await files.held() == [replace(newer, natural_key=HYPHEN)]
    (notice,) = await files.run("SELECT kind, record_id, disclosure_ids FROM tombstone")
    assert dict(notice) == {
        "kind": "record_corrected",
        "record_id": older.record_id,
        "disclosure_ids": [ids],
    }
    async with files.engine.connect() as connection:
        then = (await file_at(connection, USCC, NOW - timedelta(hours=1))).records
        (merge,) = await merged_records(connection, SOURCE.source_id)
        assert await merged_records(connection, "another") == []
    assert {each.record_id for each in then} == {older.record_id, newer.record_id}
    assert (merge.key, merge.kept_key, merge.prevailed) == (HYPHEN, HYPHEN, "newer")
    assert (merge.record_id, merge.merged_into) == (older.record_id, newer.record_id)


async def test_many_spellings_become_one_and_others_stay_apart(files: NaturalKeysFixture) -> None:
    """Of another source, dataset or enterprise the same number is another record."""
    for number in (DASH, HYPHEN, "杭测破﹝2026﹞3－12号", "杭测破[2026]3‐12号"):
        await files.hold(number, repaired_at=NOW - DAY if number == DASH else None)
    await files.hold("杭测破〔2026〕312号")
    await files.hold(DASH, source_id="rival")
    await files.hold(DASH, "judgment_defaulter")
    await files.hold(DASH, uscc="91330106MA2CXXXX16")
    await files.refold(enterprises=1)
    held = [(each.dataset, each.source_id, each.natural_key) for each in await files.held()]
    assert sorted(held) == sorted(
        [
            ("judgment_defaulter", "market", HYPHEN),
            ("penalty", "market", "杭测破〔2026〕312号"),
            ("penalty", "market", HYPHEN),
            ("penalty", "rival", HYPHEN),
        ]
    )
    parts = await files.run("SELECT DISTINCT merged_into FROM record_history")
    assert len(parts) == 1


async def test_records_added_under_an_earlier_key_are_folded_by_another_run(
    files: NaturalKeysFixture,
) -> None:
    """A worker of an earlier version was still running."""
    await files.hold(HYPHEN, repaired_at=NOW - DAY)
    await files.refold()
    await files.hold(DASH)
    assert await files.refold() == []
    (done,) = await files.refold(anew=True)
    assert (done.records, done.merged) == (2, 1)
    (held,) = await files.held()
    assert held.repaired_at is not None


async def test_the_key_is_made_of_the_fields_not_of_the_key_that_is_held(
    files: NaturalKeysFixture,
) -> None:
    """An earlier version turned 3² into 32; a delivery of 3² finds its record, and 32 is free."""
    squared = await files.hold("浙罚3²", key="浙罚32")
    crossed = await files.hold("浙罚32", key="浙罚3²")  # each takes the other's
    await files.refold()
    assert {each.record_id: each.natural_key for each in await files.held()} == {
        squared.record_id: "浙罚3²",
        crossed.record_id: "浙罚32",
    }


async def test_nothing_is_taken_until_every_key_is_folded(files: NaturalKeysFixture) -> None:
    """Deliveries and acts are refused while two versions of keys exist."""
    held = await files.hold(DASH, repaired_at=NOW - DAY)
    repair = RecordAction(
        dataset="penalty",
        uscc=USCC,
        key=fold(HYPHEN),
        verb="repair",
        reason="信用修复",
        decided_on=date(2026, 11, 1),
    )

    async def act() -> None:
        async with files.engine.begin() as connection:
            at = ActionContext(
                connection=connection,
                source=SOURCE,
                now=NOW,
                catalogue=CATALOGUE,
                vault=files.vault,
            )
            await apply_actions(at, [repair])

    with pytest.raises(KeysDueError):
        await files.take("penalty", make_row(held, document_number=HYPHEN))
    with pytest.raises(KeysDueError):
        await act()
    await files.refold()
    await act()
    (taken,) = await files.take("penalty", make_row(held, document_number=HYPHEN))
    assert taken.warnings == (RowWarning.STAYS_REPAIRED,)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_department_gets_a_503_with_retry_after(gateway: GatewayFixture) -> None:
    """503 with Retry-After."""
    source = await make_department(gateway)
    await gateway.rows("UPDATE key_folding SET finished_at = NULL RETURNING 1")
    try:
        body = {"dataset": "penalty", "records": [make_penalty(gateway, gateway.uscc("clean"))]}
        response = await call_as_source(source, "/v1/records", body)
    finally:
        await gateway.rows("UPDATE key_folding SET finished_at = now() RETURNING 1")
    assert (response.status_code, response.json()["code"]) == (503, "temporarily_unavailable")
    assert response.headers["Retry-After"] == "300"


async def test_undecryptable_fields_are_given_up_only_on_request(
    files: NaturalKeysFixture,
) -> None:
    """The operator has to confirm the loss of the encrypted fields."""
    await files.hold(DASH, "judgment_defaulter", personal={"person_id_number": "1"})
    other = NaturalKeysFixture(files.engine, Vault.generate_keys())
    with pytest.raises(UnreadableError):
        await other.refold()
    (held,) = await files.held()
    assert (held.natural_key, open_record(files.vault, held)) == (
        DASH,
        {"person_id_number": "1"},
    )
    (done,) = await other.refold(give_up_unreadable=True)
    assert (done.folded, done.given_up) == (1, 1)
    (held,) = await files.held()
    assert (held.natural_key, held.personal, held.digests) == (HYPHEN, None, None)


@pytest.mark.parametrize("ended", [False, True])
async def test_an_open_objection_goes_with_its_record(
    files: NaturalKeysFixture, *, ended: bool
) -> None:
    """To the remaining record, with its mark; if that one has ended, the source may uphold it."""
    kept = await files.hold(HYPHEN, source_time=NOW, repaired_at=NOW - DAY if ended else None)
    since = NOW - 2 * DAY
    other = await files.hold(DASH, objection_since=since)
    opened = try_raise(record_id=other.record_id, record_version=1, source_id=SOURCE.source_id)
    assert isinstance(opened, ObjectionChanged)
    async with files.engine.begin() as connection:
        assert await store.add(connection, opened)
    await files.refold()
    async with files.engine.begin() as connection:
        found = await store.by_id(connection, opened.objection.objection_id)
        assert found is not None
        held = await store.lock_record(connection, USCC, found.record_id)
        assert service.is_corrected(found, held) is ended
        assert found.record_id == (other if ended else kept).record_id
    (record,) = await files.held()
    assert record.objection_since == (None if ended else since)


async def test_applications_for_repair_and_platforms_go_with_their_record(
    files: NaturalKeysFixture,
) -> None:
    """To the remaining record."""
    kept = await files.hold(HYPHEN, source_time=NOW)
    other = await files.hold(DASH)
    followed = PlatformFollowed(platform="gsxt", followed_on=date(2026, 11, 1))
    made = [
        RepairApplication(
            uscc=USCC,
            application_id=f"rep_{number}",
            dataset="penalty",
            record_id=other.record_id,
            source_id=SOURCE.source_id,
            source_name="数源单位",
            status=status,
            statement="罚款已缴清。",
            applied_at=NOW,
            applied_by="demo:zhang",
            due_on=date(2026, 12, 1),
            due_provisional=False,
            closed_at=closed,
            closed_by="source" if closed else None,
        )
        for number, (status, closed) in enumerate(
            ((ApplicationStatus.OPEN, None), (ApplicationStatus.REJECTED, NOW))
        )
    ]
    async with files.engine.begin() as connection:
        for each in made:
            assert await repairs.add(connection, each)
        await repairs.put_platform(connection, USCC, other.record_id, followed, now=NOW)
    await files.refold()
    (held,) = await files.held()
    assert held.record_id == kept.record_id
    async with files.engine.begin() as connection:
        found = await repairs.of_enterprise(connection, USCC, record_id=kept.record_id)
        assert {each.application_id for each in found} == {"rep_0", "rep_1"}
        there = await repairs.platforms_of(
            connection, USCC, kept.record_id, since=date(2026, 10, 1)
        )
    assert there == [followed]


async def test_retention_deletes_what_became_part_of_a_record_with_it(
    files: NaturalKeysFixture, tmp_path: Path
) -> None:
    """The proof has the versions of both records."""
    long_ago: dict[str, Any] = {
        "decided_on": "2015-01-05",
        "determined_on": "2015-01-05",
        "published_on": None,
    }
    kept = await files.hold(HYPHEN, repaired_at=NOW - DAY, **long_ago)
    other = await files.hold(DASH, **long_ago)
    opened = try_raise(record_id=other.record_id, record_version=1, source_id=SOURCE.source_id)
    assert isinstance(opened, ObjectionChanged)
    made = make_enterprise()
    row = {c.name: getattr(made, c.name) for c in enterprise.columns}
    async with files.engine.begin() as connection:
        assert await store.add(connection, opened)
        await connection.execute(insert(enterprise).values(row | {"digests": {}}))
    await files.refold()
    keys = tmp_path / "keys"
    keys.write_text(new_key_file(datetime(2026, 1, 1, tzinfo=UTC)))
    deleter = Deleter(
        engine=files.engine,
        keys=KeyRing(read_keys(keys)),
        catalogue=CATALOGUE,
        issuer="https://credit.test",
    )
    assert (await deleter.run(now=NOW)).records == 1
    assert await files.run("SELECT 1 FROM record_history") == []
    (proved,) = await files.run("SELECT salt, commitments FROM deletion_proof")
    both = {deletion_proof.commitment(proved["salt"], each.record_id, 1) for each in (kept, other)}
    assert set(proved["commitments"]) == both
    (objection,) = await files.run("SELECT status, text FROM objection")
    assert dict(objection) == {"status": "closed", "text": None}


async def test_only_where_records_are_held_their_keys_are_due(postgres_url: str) -> None:
    """A new database starts with the present version."""
    url = await new_database(postgres_url)
    engine = make_engine(url, pool_size=1)
    files = NaturalKeysFixture(engine)
    config = alembic_config(url)
    for due in (False, True):
        await asyncio.to_thread(command.downgrade, config, "0029")
        if due:
            await files.hold(HYPHEN)
        await asyncio.to_thread(upgrade, url)
        rows = await files.run("SELECT finished_at FROM key_folding")
        assert bool(rows) is not due
    await engine.dispose()
