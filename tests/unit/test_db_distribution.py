"""Distributed tables: each table is in one list, and the keys of the distributed ones hold the USCC."""

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint

from gateway.db.distribution import DISTRIBUTED, DISTRIBUTION_COLUMN, LOCAL, LOCATORS
from gateway.migrations.all_tables import metadata


def test_every_table_is_distributed_or_local() -> None:
    """A new table must be placed; a dropped one leaves the list."""
    assert set(metadata.tables) == DISTRIBUTED | LOCAL
    assert not DISTRIBUTED & LOCAL


def test_whatever_has_the_uscc_in_its_key_is_distributed() -> None:
    """A local table may name an enterprise, but is found by something else."""
    found = {
        name for name, table in metadata.tables.items() if DISTRIBUTION_COLUMN in table.primary_key
    }
    assert found == DISTRIBUTED
    assert all(DISTRIBUTION_COLUMN in metadata.tables[name].c for name in LOCATORS)


def test_the_keys_of_distributed_tables_hold_the_uscc() -> None:
    """The primary key and each unique index have it; no column numbers itself, no key is foreign."""
    for name in sorted(DISTRIBUTED):
        table = metadata.tables[name]
        unique = [each for each in table.indexes if each.unique]
        keyed = [
            each
            for each in table.constraints
            if isinstance(each, PrimaryKeyConstraint | UniqueConstraint)
        ]
        assert all(DISTRIBUTION_COLUMN in each.columns for each in (*unique, *keyed)), name
        assert not table.foreign_keys, name
        assert not any(each.identity for each in table.c), name
