"""OAuth unit of work: no token is stored without client authentication."""

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
    """A verified assertion."""
    return Assertion(client_id=client_id, jti="once", forgotten_at=NOON)


def test_only_the_client_that_was_read_is_known() -> None:
    """Other ids give `None`."""
    assert DeferredWork(BANK).client("bank") is BANK
    assert DeferredWork(BANK).client("another") is None
    assert DeferredWork(None).client("bank") is None


def test_a_token_needs_its_own_clients_assertion() -> None:
    """Another client's or none is a programming error."""
    with pytest.raises(NoTransactionError):
        DeferredWork(BANK).store_token({"client_id": "bank"})
    work = DeferredWork(BANK)
    assert work.spend(make_assertion("another"))
    with pytest.raises(NoTransactionError):
        work.store_token({"client_id": "bank"})


def test_a_grant_that_needs_a_transaction_fails_without() -> None:
    """Codes and refresh tokens need it."""
    with pytest.raises(NoTransactionError):
        _ = DeferredWork(BANK).connection
