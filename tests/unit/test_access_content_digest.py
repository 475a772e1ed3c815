"""Content-Digest parser (RFC 9530): sha-256 and sha-512, all members must match."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.errors import DigestMismatchError
from gateway.access.http.content_digest import ContentDigest

BODY = b'{"purpose":"tender"}'


def member(algorithm: str, body: bytes = BODY) -> str:
    """A digest member of some body."""
    digest = hashlib.new(algorithm.replace("-", ""), body).digest()
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


RIGHT, LONG = member("sha-256"), member("sha-512")


def accepted(*lines: str) -> bool:
    """True if these lines are accepted for BODY."""
    try:
        digest = ContentDigest.read(lines)
    except DigestMismatchError:
        return False
    return digest is not None and digest.fits_body(BODY)


def test_no_line_is_no_digest() -> None:
    """The header is optional."""
    assert ContentDigest.read([]) is None


@pytest.mark.parametrize(
    "lines",
    [
        [RIGHT],
        [LONG],
        [f"{RIGHT}, {LONG}"],
        [f"{LONG},{RIGHT}"],
        [RIGHT, LONG],
        [f"  {RIGHT}\t"],
        [f"{RIGHT} \t, \t{LONG}"],
        [RIGHT, RIGHT],
    ],
)
def test_either_algorithm_or_both_are_taken(lines: list[str]) -> None:
    """In one line or several."""
    assert accepted(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ["", RIGHT],
        [RIGHT, ""],
        [" "],
        [","],
        [f"{RIGHT},"],
        [f",{RIGHT}"],
        [f"{RIGHT},,{LONG}"],
        [f"{RIGHT} {LONG}"],
        [f"{RIGHT};{LONG}"],
        ["junk"],
        ["sha-256"],
        ["sha-256=?1"],
        ["sha-256=::"],
        [member("sha-256", b"another")],
        [member("sha-512", b"another")],
        [f"{RIGHT}, {member('sha-512', b'another')}"],
        [f"{member('sha-256', b'another')}, {RIGHT}"],
        [f"{RIGHT}, {member('sha-256', b'another')}"],
        [RIGHT, member("sha-512", b"another")],
        ["md5=:AAAAAAAAAAAAAAAAAAAAAA==:"],
        [member("md5")],
        [f"{RIGHT}, {member('md5')}"],
        [f"{RIGHT}, crc32c=:AAAAAA==:"],
        [f"{RIGHT}, unixsum=1"],
        [f"{RIGHT}, x"],
        [RIGHT.replace("sha-256", "SHA-256")],
        [RIGHT.replace("sha-256", "sha256")],
        [RIGHT.replace("=:", " =:", 1)],
        [RIGHT.replace("=:", "= :", 1)],
        [f"{RIGHT};q=1"],
        [f'{RIGHT};note="x"'],
        [RIGHT.replace(":", '"')],
        [RIGHT.replace(":", "")],
        [RIGHT.replace("=:", ":", 1)],
        [RIGHT[:-2] + ":"],  # without padding
        [RIGHT[:-1] + "=:"],
        [RIGHT.replace("+", "-").replace("/", "_")] if {"+", "/"} & set(RIGHT) else ["sha-256=:_:"],
        [RIGHT.replace("=:", "=: ", 1)],
        [RIGHT[:-3] + chr(ord(RIGHT[-3]) + 1) + "=:"],  # bits that nobody reads
        [f"({RIGHT})"],
        [f"\u00a0{RIGHT}"],
        [f"{RIGHT}\n"],
        [RIGHT.replace("2", "\uff12")],
    ],
)
def test_anything_else_is_refused(lines: list[str]) -> None:
    """Other algorithms, empty fields, malformed members, another body's digest."""
    assert not accepted(*lines)


@given(st.text(max_size=60), st.integers(0, 60), st.sampled_from([RIGHT, LONG]))
def test_no_text_put_into_a_right_field_is_overlooked(text: str, place: int, right: str) -> None:
    """Only white space around members is ignored."""
    spoilt = right[:place] + text + right[place:]
    assert accepted(spoilt) == (spoilt.strip(" \t") == right)


def test_lines_are_combined_as_a_signature_base_has_them() -> None:
    """RFC 9421 §2.1: each line stripped, joined by comma and space."""
    digest = ContentDigest.read([f" {RIGHT}\t", f"{LONG} "])
    assert digest is not None
    assert digest.value == f"{RIGHT}, {LONG}"


def test_the_refusal_names_both_algorithms() -> None:
    """The sentence has sha-256 and sha-512."""
    with pytest.raises(DigestMismatchError) as caught:
        ContentDigest.read(["md5=:AAAA:"])
    assert "sha-256" in caught.value.detail
    assert "sha-512" in caught.value.detail
