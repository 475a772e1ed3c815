"""Signature fields of requests: whatever comes, they are read as an independent parser reads them, or not."""

import base64
import subprocess
import sys
from typing import Any, Final

import http_sf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signing.jwk import public_jwk
from gateway.signing.request_signatures import SignatureError, SignedParts, read_signature

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JWK: Final = {**public_jwk(KEY.public_key()), "kid": "k1"}
PARTS: Final = SignedParts(
    method="POST",
    target_uri="https://gateway.test/v1/verifications",
    content=("application/json", "sha-256=:AAAA:"),
)
PARAMS: Final = (
    '("@method" "@target-uri" "content-type" "content-digest")'
    ';created=1795312800;nonce="abc";keyid="k1";alg="ed25519";tag="xinqiao-request"'
)
_BASE: Final = "\n".join(
    [*(f"{name}: {value}" for name, value in PARTS.components), f'"@signature-params": {PARAMS}']
)
VALUE: Final = f":{base64.b64encode(KEY.sign(_BASE.encode())).decode()}:"
INPUT: Final = f"sig={PARAMS}"
SIGNATURE: Final = f"sig={VALUE}"
CHARACTERS: Final = st.characters(min_codepoint=0, max_codepoint=255)
PIECES: Final = st.sampled_from(
    [INPUT, SIGNATURE, PARAMS, VALUE, "sig=", ",", ", ", ";", "(", ")", '"', "\\", " ", "\t", ":", "=",
     ';tag="xinqiao-request"', ";tag=xinqiao-request", ';keyid="k1"', ";created=1", "sig", "b", "?1", "é"]
)  # fmt: skip
FIELDS: Final = st.lists(st.lists(PIECES | CHARACTERS, max_size=8).map("".join), max_size=3)


def test_the_example_holds() -> None:
    """Else the rest shows nothing."""
    found = read_signature([INPUT], [SIGNATURE])
    assert found is not None
    assert found.verify(PARTS, [JWK]) == JWK


@given(FIELDS, FIELDS)
def test_what_is_read_is_what_an_independent_parser_reads(
    inputs: list[str], values: list[str]
) -> None:
    """Nothing else is raised; what is accepted has its one spelling (RFC 9651)."""
    try:
        found = read_signature(inputs, values)
    except SignatureError:
        return
    if found is None:
        return
    whole = ", ".join(line.strip(" \t") for line in inputs)
    members = _parsed(whole)
    if members is None:  # another member of the field is malformed: it was not looked at
        members = _parsed(f"{found.label}={found.input}")
    assert members is not None
    components, parameters = members[found.label]
    assert parameters["tag"] == "xinqiao-request"
    assert (parameters["keyid"], parameters["created"]) == (found.keyid, found.created)
    written = http_sf.ser({found.label: (components, parameters)})
    assert written == f"{found.label}={found.input}"


def test_the_longest_field_of_open_quotations_is_refused_at_once() -> None:
    """A thousand times in 30 seconds of CPU; read again from each quotation it would be ten minutes."""
    script = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from gateway.signing.request_signatures import MAX_FIELD, SignatureError, read_signature
opened = 'xinqiao-request"' + (chr(92) + '"') * (MAX_FIELD // 2 - 8)
for _ in range(1000):
    for fields in (([opened], []), (['a=("@method");tag="xinqiao-request"'], [opened])):
        try:
            read_signature(*fields)
        except SignatureError:
            continue
        raise AssertionError
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == 0


@settings(max_examples=300)
@given(st.data())
def test_a_changed_signature_does_not_hold(data: st.DataObject) -> None:
    """One character replaced, removed or added in either field."""
    fields = [INPUT, SIGNATURE]
    which = data.draw(st.integers(0, 1))
    text = fields[which]
    place = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(CHARACTERS | st.just(""))
    keep = data.draw(st.booleans())
    fields[which] = text[:place] + put + text[place + (0 if keep else 1) :]
    try:
        found = read_signature([fields[0]], [fields[1]])
        if found is None:
            return
        found.verify(PARTS, [JWK])
    except SignatureError:
        return
    assert (found.input, found.value) == (PARAMS, VALUE)  # a blank around the field's members


@pytest.mark.parametrize("name", ["method", "target_uri", "content"])
def test_a_signature_holds_for_no_other_part(name: str) -> None:
    """Each part by itself."""
    found = read_signature([INPUT], [SIGNATURE])
    assert found is not None
    other: Any = {"content": ("application/json", "sha-256=:BBBB:")}.get(name, "PUT")
    parts = {"method": PARTS.method, "target_uri": PARTS.target_uri, "content": PARTS.content}
    with pytest.raises(SignatureError):
        found.verify(SignedParts(**{**parts, name: other}), [JWK])


def _parsed(field: str) -> Any:
    """The dictionary in a field, or `None`."""
    try:
        return http_sf.parse(field.encode(), tltype="dictionary")
    except (ValueError, UnicodeError):
        return None
