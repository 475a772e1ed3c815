"""Check of the statements that run in the API tests: it sees those of the gateway, and what they break."""

import pytest
from sqlalchemy import Select, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from consent.tables import consent_locators, consents
from gateway.db.statements import Statement
from tests.sql_rules.shard_rules import ALONE, SHAPES
from tests.sql_rules.statement_rules import check_statements

pytestmark = pytest.mark.asyncio

MIXED = "SELECT c.uses FROM consent c JOIN client k ON k.client_id = c.client_id"


@pytest.fixture(autouse=True)
def _statements_keep_the_rules() -> None:
    """Not in this file, whose statements break them."""


async def broken_rules(engine: AsyncEngine, clause: TextClause | Select[tuple[int]]) -> set[int]:
    """The rules that the check says a statement breaks."""
    with check_statements() as checks:
        async with engine.connect() as connection:
            await connection.execute(clause)
    return {each.rule for found in checks.broken.values() for each in found}


async def test_a_statement_of_the_gateway_is_checked(engine: AsyncEngine) -> None:
    """As a text and as SQLAlchemy builds it; a test's own text is not."""
    built = select(consents.c.uses).join(
        consent_locators, consent_locators.c.consent_id == consents.c.consent_id
    )
    assert await broken_rules(engine, Statement(MIXED)) == {ALONE}
    assert await broken_rules(engine, built) == {ALONE}
    assert await broken_rules(engine, text(MIXED)) == set()


async def test_the_values_of_a_statement_are_checked(engine: AsyncEngine) -> None:
    """An UPDATE breaks a rule by a parameter that is NULL."""
    change = Statement(
        "UPDATE consent SET uses = 1 WHERE uscc = :uscc AND consent_id = :consent_id"
    )
    for consent_id, broken in (("cns_none", set()), (None, {SHAPES})):
        values = change.bindparams(uscc="", consent_id=consent_id)
        assert await broken_rules(engine, values) == broken
