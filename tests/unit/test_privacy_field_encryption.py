"""Field encryption: binding to table, column and row; key rotation; keyed digests."""

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.creditfile.personal_fields import open_enterprise, seal_enterprise
from gateway.privacy.field_encryption import (
    BufferedRandom,
    SealBrokenError,
    Vault,
    VaultKeys,
    VaultKeysError,
)
from tests.creditfile_builders import USCC, make_enterprise

TEXT = Vault.generate_keys()
VAULT = Vault(VaultKeys.parse(TEXT))


@given(st.binary(max_size=200))
def test_an_encrypted_value_decrypts_in_its_place(plain: bytes) -> None:
    """Any value."""
    sealed = VAULT.seal(plain, table="t", column="c", row="r")
    assert VAULT.open(sealed, table="t", column="c", row="r") == plain


@pytest.mark.parametrize(
    "place",
    [("x", "c", "r"), ("t", "x", "r"), ("t", "c", "x"), ("tc", "", "r")],
)
def test_a_sealed_value_does_not_open_in_another_place(place: tuple[str, str, str]) -> None:
    """Another table, column or row."""
    sealed = VAULT.seal(b"plain", table="t", column="c", row="r")
    table, column, row = place
    with pytest.raises(SealBrokenError):
        VAULT.open(sealed, table=table, column=column, row=row)


def test_every_damaged_byte_is_noticed() -> None:
    """Version, key id, nonce, ciphertext, tag; and truncation."""
    sealed = VAULT.seal(b"plain", table="t", column="c", row="r")
    for at in range(len(sealed)):
        damaged = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(SealBrokenError):
            VAULT.open(damaged, table="t", column="c", row="r")
        with pytest.raises(SealBrokenError):
            VAULT.open(sealed[:at], table="t", column="c", row="r")


def test_a_value_sealed_under_an_older_key_opens_while_that_key_is_kept() -> None:
    """Values are written under the current key."""
    older, newer = json.loads(TEXT), json.loads(Vault.generate_keys())
    both = {
        "keys": {"1": older["keys"]["1"], "2": newer["keys"]["1"]},
        "current": "2",
        "digest": older["digest"],
    }
    rotated = Vault(VaultKeys.parse(json.dumps(both)))
    sealed = VAULT.seal(b"plain", table="t", column="c", row="r")
    assert rotated.open(sealed, table="t", column="c", row="r") == b"plain"
    assert rotated.seal(b"", table="t", column="c", row="r")[1] == 2
    assert rotated.digest("a", "b") == VAULT.digest("a", "b")


def test_digests_differ_by_what_they_are_of_and_by_key() -> None:
    """The same text has different digests for different uses."""
    assert VAULT.digest("id", "x") != VAULT.digest("phone", "x")
    assert VAULT.digest("id", "x") == VAULT.digest("id", "x")
    other = Vault(VaultKeys.parse(Vault.generate_keys()))
    assert other.digest("id", "x") != VAULT.digest("id", "x")


def test_keys_do_not_print() -> None:
    """Neither in `repr` nor in errors."""
    secrets = [json.loads(TEXT)["digest"], json.loads(TEXT)["keys"]["1"]]
    shown = repr(VAULT) + repr(VaultKeys.parse(TEXT)) + str(VaultKeys.parse(TEXT))
    assert not any(secret[:8] in shown for secret in secrets)
    assert "b'" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": {}, "current": "1", "digest": "x"}',
        TEXT.replace('"current": "1"', '"current": "2"'),
        TEXT.replace('{"1"', '{"256"').replace('"current": "1"', '"current": "256"'),
        TEXT.replace('{"1"', '{"one"'),
        '{"keys": {"1": "c2hvcnQ="}, "current": "1", "digest": "c2hvcnQ="}',
    ],
)
def test_keys_that_cannot_be_read_are_refused_without_being_repeated(text: str) -> None:
    """The error has the shape only."""
    with pytest.raises(VaultKeysError) as refused:
        VaultKeys.parse(text)
    assert str(refused.value) == VaultKeysError.__doc__
    assert refused.value.__cause__ is None


def test_personal_fields_are_sealed_for_their_enterprises_row() -> None:
    """Bound to the USCC."""
    sealed, _ = seal_enterprise(VAULT, USCC, {"phone": "15400000000"})
    assert sealed is not None
    assert b"154" not in sealed
    assert open_enterprise(VAULT, make_enterprise(personal=sealed)) == {"phone": "15400000000"}
    assert open_enterprise(VAULT, make_enterprise()) == {}
    with pytest.raises(SealBrokenError):
        open_enterprise(VAULT, make_enterprise(personal=sealed, uscc="91330106MA0000000X"))


def test_randomness_that_is_drawn_ahead_is_given_once() -> None:
    """In order, for any lengths, without reuse."""
    drawn: list[bytes] = []

    def random(length: int) -> bytes:
        drawn.append(secrets.token_bytes(length))
        return drawn[-1]

    ahead = BufferedRandom(random)
    given = [ahead(12) for _ in range(1000)]
    assert len(set(given)) == len(given)
    assert {len(each) for each in given} == {12}
    assert len(drawn) < 5
    assert all(any(each in some for some in drawn) for each in given)
    assert len(ahead(10_000)) == 10_000
