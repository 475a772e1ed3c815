"""Fixture of all API tests: the statements that run in them keep the rules of distributed tables."""

from collections.abc import Iterator

import pytest

from tests.sql_rules.statement_rules import check_statements


@pytest.fixture(autouse=True)
def _statements_keep_the_rules() -> Iterator[None]:
    """Fail where a test ran a statement that would not run on distributed tables."""
    with check_statements() as checks:
        yield
    assert checks.broken == {}
