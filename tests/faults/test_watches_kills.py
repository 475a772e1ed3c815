"""Sessions killed while changed answers are told: each change is told once, whoever goes on."""

from typing import Any, Final

from gateway.ingest import Source, ingest_rows
from tests.gateway_fixture import GatewayFixture, open_gateway
from tests.records_builders import make_penalty
from tests.sampling import sampled
from tests.waiting import eventually
from tests.watch_builders import PENALTY, told, watch

KILLS: Final = sampled(4, full=40)
SOURCE: Final = Source(source_id="market", name="市场监督管理部门（合成）")
ENTERPRISES: Final = slice(120, 160)
WRITTEN: Final = ("watch", "disclosure", "tombstone")
"""Tables of a round, in the order in which it writes them."""
SLOW: Final = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = (SELECT name FROM slow_table) THEN PERFORM pg_sleep(3600); END IF;
    RETURN NULL;
END $$"""
HELD: Final = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'"""


async def slow_down(gateway: GatewayFixture) -> None:
    """Let a round wait after it has written the table named in `slow_table`."""
    await gateway.rows("CREATE TABLE slow_table AS SELECT CAST('watch' AS text) AS name")
    await gateway.rows(SLOW)
    for table in WRITTEN:
        await gateway.rows(
            f"CREATE TRIGGER slow AFTER INSERT OR UPDATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION slow()"
        )


async def test_a_killed_round_is_done_again_and_nothing_is_told_twice(postgres_url: str) -> None:
    """Killed after its marks, after the log and after the notices were written, in turn."""
    async with open_gateway(postgres_url) as gateway:
        banks = [await gateway.client() for _ in range(2)]
        usccs = sorted(each.uscc for each in gateway.entities[ENTERPRISES])
        for bank in banks:
            await watch(gateway, bank, *usccs)
        await slow_down(gateway)
        async with gateway.runtime.engine.begin() as connection:
            await ingest_rows(
                connection,
                SOURCE,
                "penalty",
                [make_penalty(gateway, uscc) for uscc in usccs],
                now=gateway.clock(),
                catalogue=gateway.runtime.catalogue,
                vault=gateway.runtime.vault,
            )

        async def held() -> list[dict[str, Any]]:
            return await gateway.rows(HELD)

        for kill in range(1, KILLS + 1):
            (session,) = await eventually(held)
            following = WRITTEN[kill % len(WRITTEN)] if kill < KILLS else ""
            await gateway.rows("UPDATE slow_table SET name = :name", name=following)
            await gateway.rows("SELECT pg_terminate_backend(:pid, 60000)", pid=session["pid"])
        for bank in banks:
            assert sorted(await told(gateway, bank)) == [(uscc, [PENALTY]) for uscc in usccs]
            assert sorted(each["uscc"] for each in await gateway.log_of(bank)) == usccs
        (salts,) = await gateway.rows(
            "SELECT count(*) AS salts FROM disclosure_salt s JOIN disclosure d"
            " USING (uscc, disclosure_id) WHERE d.kind = 'watch'"
        )
        assert salts["salts"] == len(usccs) * len(banks)
