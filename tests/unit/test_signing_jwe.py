"""Compact JWE: opened as RFC 7516 and 7518 say, and refused alike whatever is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.signing.jwe import MAX_LENGTH, decrypt, is_compact_jwe
from gateway.signing.jwk import public_jwk
from tests.jwe_builders import TYP, encoded, encrypt, new_public_jwk, with_header

PRIVATE, PUBLIC = new_public_jwk()


def opened(token: str) -> bytes | None:
    """The plaintext under the only key."""
    return decrypt(token, lambda kid: PRIVATE if kid == "k1" else None, typ=TYP)


@pytest.mark.parametrize("parties", [{}, {"apu": encoded(b"Alice"), "apv": encoded(b"Bob")}])
def test_a_token_of_another_library_is_opened(parties: dict[str, str]) -> None:
    """With and without party information."""
    token = encrypt(b"330106199001011234", PUBLIC, **parties)
    assert is_compact_jwe(token)
    assert opened(token) == b"330106199001011234"


def test_a_token_to_another_key_is_not_opened() -> None:
    """Though it names ours."""
    assert opened(encrypt(b"text", new_public_jwk()[1])) is None


def off_the_curve(token: str) -> str:
    """The sender's point moved off the curve."""
    key = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    return with_header(token, epk={**key, "y": key["x"]})


def on_a_weak_curve(token: str) -> str:
    """The point (0, √b), of small coordinates."""
    return with_header(
        token, epk={"kty": "EC", "crv": "P-256", "x": encoded(bytes(32)), "y": encoded(bytes(32))}
    )


def part(place: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """A change of one of the five parts."""

    def changed(token: str) -> str:
        parts = token.split(".")
        parts[place] = change(parts[place])
        return ".".join(parts)

    return changed


def flipped(text: str) -> str:
    """Another first character."""
    return ("A" if text[0] != "A" else "B") + text[1:]


TAMPERED: dict[str, Callable[[str], str]] = {
    "another header": lambda token: with_header(token, apu=encoded(b"x")),
    "another algorithm": lambda token: with_header(token, alg="ECDH-ES+A256KW"),
    "no algorithm": lambda token: with_header(token, alg="none"),
    "dir": lambda token: with_header(token, alg="dir"),
    "another encryption": lambda token: with_header(token, enc="A128GCM"),
    "CBC": lambda token: with_header(token, enc="A256CBC-HS512"),
    "compressed": lambda token: with_header(token, zip="DEF"),
    "an extension": lambda token: with_header(token, crit=["exp"], exp=1),
    "another type": lambda token: with_header(token, typ="JWT"),
    "a key that is not known": lambda token: with_header(token, kid="k2"),
    "a key of another type": lambda token: with_header(token, kid=1),
    "off the curve": off_the_curve,
    "the point at nothing": on_a_weak_curve,
    "no ephemeral key": lambda token: with_header(token, epk=None),
    "an ephemeral private key": lambda token: with_header(token, epk={**PUBLIC, "d": "AA"}),
    "another curve": lambda token: with_header(
        token, epk=public_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())
    ),
    "a header that is no object": part(0, lambda _: encoded(b"[]")),
    "a header that names a member twice": part(
        0, lambda _: encoded(b'{"alg":"ECDH-ES","alg":"ECDH-ES"}')
    ),
    "an encrypted key": part(1, lambda _: "AAAA"),
    "another nonce": part(2, flipped),
    "a short nonce": part(2, lambda text: text[:-4]),
    "another ciphertext": part(3, flipped),
    "no ciphertext": part(3, lambda _: ""),
    "another tag": part(4, flipped),
    "a short tag": part(4, lambda text: text[:-2]),
    "padding": lambda token: f"{token}==",
    "four parts": lambda token: token.rpartition(".")[0],
    "white space": lambda token: f" {token}",
    "no ASCII": lambda token: token.replace(token[5], "é"),
}


@pytest.mark.parametrize("tamper", TAMPERED)
def test_a_tampered_token_is_not_opened(tamper: str) -> None:
    """Nor does it raise."""
    token = encrypt(b"text", PUBLIC)
    assert opened(token) == b"text"
    assert opened(TAMPERED[tamper](token)) is None


@pytest.mark.parametrize(
    "made",
    [
        {"enc": "A128GCM"},
        {"enc": "A256CBC-HS512"},
        {"zip": "DEF"},
        {"alg": "ECDH-ES+A256KW"},
        {"typ": None},
        {"kid": None},
    ],
    ids=str,
)
def test_a_token_made_by_other_means_is_not_opened(made: dict[str, Any]) -> None:
    """Sound as JWE, and not of our profile."""
    assert opened(encrypt(b"text", PUBLIC, **made)) is None


def test_a_token_over_the_bound_is_not_opened() -> None:
    """Before anything of it is parsed."""
    assert opened(encrypt(b"x" * MAX_LENGTH, PUBLIC)) is None


def test_random_texts_are_not_opened() -> None:
    """Whatever they hold."""
    for text in ("", ".", "....", "a.b.c.d.e", "\0....", json.dumps({"a": 1}), "é" * 900):
        assert opened(text) is None
