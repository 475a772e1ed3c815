"""The rules of distributed tables, kept by the statements that run: SQLAlchemy's, of the gateway alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine, TextClause, event

from gateway.db.statements import Statement
from tests.sql_rules.shard_exemptions import is_exempt
from tests.sql_rules.shard_rules import Violation, violations

_CHECKED: Final[dict[tuple[str, frozenset[int]], list[Violation]]] = {}
"""What each text breaks, with these parameters NULL: a statement is parsed once."""


@dataclass(slots=True)
class CheckedStatements:
    """The statements that broke a rule, with what they break."""

    broken: dict[str, list[Violation]] = field(default_factory=dict)
    count: int = 0

    def check(
        self,
        _connection: object,
        _cursor: object,
        sql: str,
        parameters: Any,  # of one execution, or of many
        context: Any,  # SQLAlchemy's
        executemany: bool,  # SQLAlchemy's signature
    ) -> None:
        """Listener of `before_cursor_execute`."""
        clause = getattr(context, "invoked_statement", None)
        if clause is None or (isinstance(clause, TextClause) and not isinstance(clause, Statement)):
            return  # a test's own
        self.count += 1
        found = checked(sql, () if executemany else parameters)
        kept = [each for each in found if not is_exempt(sql, each)]
        if kept:
            self.broken[sql] = kept


def checked(sql: str, parameters: Sequence[Any]) -> list[Violation]:
    """Rules that a statement breaks, run with these parameters."""
    nulls = frozenset(number for number, value in enumerate(parameters or (), 1) if value is None)
    found = _CHECKED.get((sql, nulls))
    if found is None:
        found = _CHECKED[sql, nulls] = violations(sql, nulls=nulls)
    return found


@contextmanager
def check_statements() -> Iterator[CheckedStatements]:
    """Check the statements that run inside the block."""
    checks = CheckedStatements()
    event.listen(Engine, "before_cursor_execute", checks.check)
    try:
        yield checks
    finally:
        event.remove(Engine, "before_cursor_execute", checks.check)
