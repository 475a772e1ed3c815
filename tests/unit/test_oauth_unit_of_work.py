"""Deferred work stores no token of a client that is not authenticated."""

from datetime import UTC, datetime

import pytest

from gateway.clients.registry import Client
from gateway.oauth.unit_of_work import Assertion, DeferredWork, NoTransactionError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BANK = Client(
    client_id="bank",
    kind="bank",
    name_zh="测试银行",
    name_en="Test Bank",
    active=True,
    keys=(),
    redirect_uris=(),
    scopes=("verify",),
    agreement=None,
)


def make_assertion(client_id: str) -> Assertion:
    """One that was verified."""
    return Assertion(client_id=client_id, jti="once", forgotten_at=NOON)


def test_only_the_client_that_was_read_is_known() -> None:
    """Whoever asks for another gets nobody."""
    assert DeferredWork(BANK).client("bank") is BANK
    assert DeferredWork(BANK).client("another") is None
    assert DeferredWork(None).client("bank") is None


def test_a_token_needs_its_own_clients_assertion() -> None:
    """Without one, or with another client's, it is a fault."""
    with pytest.raises(NoTransactionError):
        DeferredWork(BANK).store_token({"client_id": "bank"})
    work = DeferredWork(BANK)
    assert work.spend(make_assertion("another"))
    with pytest.raises(NoTransactionError):
        work.store_token({"client_id": "bank"})


def test_a_grant_that_needs_a_transaction_fails_without() -> None:
    """What rests on a code or a refresh token cannot be judged here."""
    with pytest.raises(NoTransactionError):
        _ = DeferredWork(BANK).connection
