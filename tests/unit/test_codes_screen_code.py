"""Tokens of on-screen codes: what they hold, and that no other text is one."""

from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from gateway.codes import qr
from gateway.codes.screen.screen_code import LIFE, parse_screen_token, screen_token, screen_url
from gateway.signing.keyed_digests import KeyedDigests

NOW = datetime(2026, 11, 29, 6, 5, 7, tzinfo=UTC)
SEALER = partial(KeyedDigests("s" * 32).of, "screen_code")
TOKEN = screen_token("91330106MAHDO8319M", now=NOW, nonce=b"12345678", sealer=SEALER)


@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18),
    st.binary(min_size=8, max_size=8),
)
def test_a_token_holds_the_enterprise_and_its_minute(uscc: str, nonce: bytes) -> None:
    """In any case of its letters; also a code that begins with zeros."""
    token = screen_token(uscc, now=NOW, nonce=nonce, sealer=SEALER)
    for written in (token, token.lower()):
        shown = parse_screen_token(written, sealer=SEALER)
        assert shown is not None
        assert (shown.uscc, shown.made_at, shown.nonce) == (uscc, NOW, nonce.hex())
        assert shown.expires_at == NOW + LIFE == NOW + timedelta(seconds=60)


@given(st.integers(0, 63), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_changed_character_makes_it_nobodys(place: int, letter: str) -> None:
    """Every character is sealed."""
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assert (parse_screen_token(changed, sealer=SEALER) is not None) == (changed == TOKEN)


@given(st.text(max_size=70))
def test_other_texts_are_no_tokens(text: str) -> None:
    """Of any length and script."""
    assert parse_screen_token(text, sealer=SEALER) is None


def test_a_token_of_another_installation_is_no_token() -> None:
    """The seal is made with the installation's secret, for this use alone."""
    for other in (KeyedDigests("t" * 32).of, KeyedDigests("s" * 32).of):
        assert parse_screen_token(TOKEN, sealer=partial(other, "code")) is None


def test_the_symbol_is_small_enough_for_a_phones_screen() -> None:
    """At most version 7 (45 modules), quiet zone apart."""
    matrix = qr.matrix_of(screen_url("https://credit.example.gov.cn", TOKEN))
    assert len(matrix) - 8 <= 45
