"""DPoP nonces: keyed time slots, bound to the replay store's generation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.signing.dpop_nonces import SLOT_SECONDS, DpopNonces

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SLOT = timedelta(seconds=SLOT_SECONDS)
NONCES = DpopNonces(b"k" * 32)


def test_a_fresh_nonce_names_its_generation() -> None:
    """It is accepted with its generation."""
    assert NONCES.generation_of(NONCES.issue("gen-1", NOON), NOON) == "gen-1"


def test_a_nonce_is_the_same_for_all_workers_with_one_key() -> None:
    """Nonces are stateless."""
    assert DpopNonces(b"k" * 32).issue("g", NOON) == NONCES.issue("g", NOON)


def test_the_nonce_of_the_previous_slot_still_passes() -> None:
    """For requests across a slot's end."""
    nonce = NONCES.issue("g", NOON - SLOT)
    assert NONCES.generation_of(nonce, NOON) == "g"


@pytest.mark.parametrize("slots", [-3, -2, 1, 2])
def test_an_older_or_a_coming_nonce_does_not_pass(slots: int) -> None:
    """Two slots back, or in the future."""
    nonce = NONCES.issue("g", NOON + slots * SLOT)
    assert NONCES.generation_of(nonce, NOON) is None


def test_a_nonce_of_another_key_does_not_pass() -> None:
    """Nonces cannot be forged."""
    assert NONCES.generation_of(DpopNonces(b"x" * 32).issue("g", NOON), NOON) is None


def test_a_nonce_cannot_be_moved_to_another_generation() -> None:
    """After a flush old nonces are void."""
    mac = NONCES.issue("before", NOON).split(".")[1]
    assert NONCES.generation_of(f"after.{mac}", NOON) is None


@pytest.mark.parametrize(
    "nonce", [None, "", ".", "g", "g.", ".x", "a.b.c", "g.é", 7, True, ["g.x"]]
)
def test_a_malformed_nonce_is_refused(nonce: Any) -> None:
    """Any claim value."""
    assert NONCES.generation_of(nonce, NOON) is None
