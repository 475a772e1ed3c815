"""Tables partitioned by USCC: each hot statement touches one partition, and the gateway works there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from gateway.access.client_status import READ_CLIENT_STATUS
from gateway.db.statements import SetStatement, Statement
from gateway.disclosure.commit import DISCLOSE
from gateway.ingest.ingest_batch import ingest_rows
from gateway.ingest.results import BatchResult, Source
from gateway.queries import read_query
from gateway.verifications.read_query import READ_INPUTS
from tests.gateway_fixture import GatewayFixture, open_gateway
from tests.sql_rules.partitioned_database import partition, touched_partitions
from tests.sql_rules.shard_rules import function_violations, violations
from tests.statement_recorder import record_statements

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOT: Final = {
    "verification": READ_INPUTS,
    "query": read_query.READ_INPUTS,
    "client status": READ_CLIENT_STATUS,
    "answer or refusal": DISCLOSE,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partitioned(postgres_url: str) -> AsyncIterator[GatewayFixture]:
    """A gateway whose distributed tables are partitioned."""
    async with open_gateway(postgres_url, prepare=partition) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Calls:
    """The hot statements of a told verification, a told query and a refusal, with their values."""

    asked: tuple[tuple[Statement, dict[str, Any]], ...]

    def of(self, statement: SetStatement) -> list[tuple[Statement, dict[str, Any]]]:
        """Those of one statement."""
        return [each for each in self.asked if each[0] is statement.single]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(partitioned: GatewayFixture) -> Calls:
    """Two enterprises, each verified and queried by a client with its consent and by one without."""
    asked: list[tuple[Statement, dict[str, Any]]] = []
    for entity in partitioned.entities[:2]:
        uscc = entity.enterprise.uscc
        bank, other = await partitioned.client(), await partitioned.client()
        await partitioned.grant(bank, uscc, datasets=["registration", "licence", "penalty"])
        for each in (bank, other):
            await each.token()
        with record_statements(partitioned.app) as database:
            told = [
                await bank.verify(uscc, "is_active.v1", ("rating_at_least.v1", "良好")),
                await bank.query(uscc, headers={"Idempotency-Key": f'"{uscc}"'}),
            ]
            assert [each.status_code for each in told] == [200, 200]
            assert (await other.query(uscc)).status_code == 403
        asked += [(statement, dict(values)) for statement, values in database.asked]
    return Calls(tuple(asked))


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_touches_one_partition(
    partitioned: GatewayFixture, calls: Calls, name: str
) -> None:
    """That of its enterprise, under a plan that is made once for all; the client's status none."""
    ran = calls.of(HOT[name])
    assert ran
    for statement, values in ran:
        url = partitioned.settings.database_url
        touched = await touched_partitions(url, statement, _unspent(values))
        numbers = {each.rpartition("_p")[2] for each in touched}
        assert len(numbers) == (0 if name == "client status" else 1), touched


async def test_a_statement_about_two_enterprises_is_seen_to_touch_two(
    partitioned: GatewayFixture,
) -> None:
    """What this file counts can be more than one."""
    statement = Statement("SELECT count(*) FROM enterprise WHERE name <> CAST(:name AS text)")
    url = partitioned.settings.database_url
    touched = await touched_partitions(url, statement, {"name": ""})
    assert len(touched) > 1


async def test_a_changed_record_is_delivered_with_its_history(partitioned: GatewayFixture) -> None:
    """The lock is an update that changes nothing; the earlier version is kept, and its client told."""
    subject = partitioned.entities[2]
    uscc = subject.enterprise.uscc
    bank = await partitioned.client()
    await partitioned.grant(bank, uscc, datasets=["licence"])
    catalogue, vault = partitioned.runtime.catalogue, partitioned.runtime.vault
    source = Source(source_id="source-of-a-test", name="synthetic source", uscc=uscc)
    row = {"uscc": uscc, "number": "浙许1", "name": "食品经营许可", "decided_on": "2026-01-02"}
    for fields in (row, {**row, "name": "新名"}):
        async with partitioned.runtime.engine.begin() as connection:
            [outcome] = await ingest_rows(
                connection,
                source,
                "licence",
                [fields],
                now=partitioned.clock(),
                catalogue=catalogue,
                vault=vault,
            )
        assert not outcome.problems, outcome
        assert (await bank.query(uscc, "licence")).status_code == 200
    assert (outcome.outcome, outcome.version) == (BatchResult.UPDATED, 2)
    of_record = {"uscc": uscc, "record_id": outcome.record_id}
    history = await partitioned.rows(
        "SELECT version FROM record_history WHERE uscc = :uscc AND record_id = :record_id",
        **of_record,
    )
    assert history == [{"version": 1}]
    noticed = await partitioned.rows(
        "SELECT client_id, kind FROM tombstone WHERE uscc = :uscc AND record_id = :record_id",
        **of_record,
    )
    assert noticed == [{"client_id": bank.client_id, "kind": "record_corrected"}]


async def test_sets_are_off(partitioned: GatewayFixture) -> None:
    """A set names many enterprises: a gateway on a cluster sends each call by itself."""
    assert partitioned.runtime.hot._sets is None  # what `auto` chose


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_keeps_every_rule(name: str) -> None:
    """It names its enterprise for each table."""
    assert violations(HOT[name].single.positional, is_hot=True) == []


async def test_the_function_keeps_every_rule(partitioned: GatewayFixture) -> None:
    """Each statement in `xinqiao_disclose` and what it calls; and `uscc` is its first parameter."""
    rows = await partitioned.rows(
        "SELECT proname, pg_get_functiondef(oid) AS definition FROM pg_proc"
        " WHERE proname IN ('xinqiao_disclose', 'xinqiao_spend_use')"
    )
    assert len(rows) == 2
    for row in rows:
        assert f"{row['proname']}(p_uscc text," in row["definition"]
        assert function_violations(row["definition"]) == [], row["proname"]


def _unspent(values: dict[str, Any]) -> dict[str, Any]:
    """The same, as if nothing had been written: another id, no key, consent use or probe."""
    if "disclosure_id" not in values:
        return values
    fresh = {"disclosure_id": "dsc_again", "consent_version": None, "key": None, "probes": "[]"}
    return {**values, **fresh}
