"""Housekeeping at ten million enterprises: what it deletes every few minutes is found by an index."""

from typing import Final

import pytest

from gateway.background.housekeeping import EXPIRING_TABLES
from gateway.migrations.all_tables import metadata

SMALL: Final = frozenset({"anomaly", "client_activity", "record_action", "verification_batch"})
"""Tables of thousands of rows at most."""


@pytest.mark.parametrize("table", sorted(EXPIRING_TABLES.keys() - SMALL))
def test_what_expires_is_found_by_an_index(table: str) -> None:
    """Else each worker reads the whole table every five minutes."""
    column, _ = EXPIRING_TABLES[table]
    whole = [
        each
        for each in metadata.tables[table].indexes
        if each.dialect_kwargs.get("postgresql_where") is None
    ]
    assert column in {each.columns[0].name for each in whole}
