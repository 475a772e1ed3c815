"""Agreements for pure tests."""

from datetime import UTC, datetime

from consent import Purpose
from gateway.clients.agreements import Agreement


def an_agreement(
    *, datasets: frozenset[str] = frozenset(), questions: frozenset[str] = frozenset()
) -> Agreement:
    """An agreement for every purpose, with these datasets and questions."""
    return Agreement(
        version=1,
        purposes=frozenset(Purpose),
        datasets=datasets,
        questions=questions,
        retention_days=0,
        automated_decisions=None,
        id_numbers=None,
        requires_signed_requests=False,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        ended_at=None,
        licensed_for_persons=True,
    )
