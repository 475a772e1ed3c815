"""SDK verification of response signatures (RFC 9421): independent signer, forgeries."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from xinqiao._core.signatures.exchange import Exchange, sha256_digest
from xinqiao._core.signatures.http_signatures import read_claims, signature_base, verify_signature
from xinqiao._core.signatures.keys import KeySet, ResponseKey
from xinqiao.errors import ConfigurationError, SignatureInvalid
from xinqiao.testing import FakeGateway
from xinqiao.testing._endpoints.signing import ResponseSigner

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
URL = "https://gateway.test/v1/verifications?x=%E4%B8%AD"
PROFILE = (
    '"@status"',
    '"content-type"',
    '"content-digest"',
    '"@method";req',
    '"@target-uri";req',
    '"content-digest";req',
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def make_request(body: bytes = b'{"a":1}', method: str = "POST") -> httpx2.Request:
    headers = {"Content-Digest": sha256_digest(body)} if body else {}
    return httpx2.Request(method, URL, headers=headers, content=body)


def make_response(request: httpx2.Request, status: int = 200, **more: Any) -> httpx2.Response:
    return httpx2.Response(
        status,
        content=b'{"answer":"no"}',
        headers={
            "Content-Type": "application/json",
            "Content-Digest": sha256_digest(b'{"answer":"no"}'),
        },
        request=request,
        **more,
    )


def independently_signed(
    response: httpx2.Response, names: tuple[str, ...] = PROFILE, **more: Any
) -> Exchange:
    """Sign with http-message-signatures, an independent implementation."""
    resolver = MappingKeyResolver(private_keys={"k1": KEY}, public_keys={})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
    options: dict[str, Any] = {"created": NOW, "label": "xinqiao", "tag": "xinqiao-response"}
    options["use_existing_digest"] = True
    signer.sign(response, key_id="k1", covered_component_ids=names, **{**options, **more})
    return Exchange.of(response)


def the_key(**more: datetime) -> ResponseKey:
    jwk = {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA"}
    raw = KEY.public_key().public_bytes_raw()
    import base64

    jwk["x"] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    jwk |= {name: when.isoformat() for name, when in more.items()}
    found = KeySet.read({"keys": [jwk]}).get("k1")
    assert found is not None
    return found


def verify(exchange: Exchange, key: ResponseKey | None = None) -> None:
    window = timedelta(minutes=5)
    claimed = read_claims(exchange)
    verify_signature(
        exchange, claimed, key or the_key(), earliest=NOW - window, latest=NOW + window
    )


def refusal(exchange: Exchange, key: ResponseKey | None = None) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        verify(exchange, key)
    return caught.value.reason


def with_header(exchange: Exchange, name: str, value: str | None) -> Exchange:
    headers = {k: v for k, v in exchange.response_headers.items() if k != name}
    return replace(exchange, response_headers=headers | ({} if value is None else {name: value}))


def test_an_independent_implementation_of_the_profile_is_accepted() -> None:
    """Its signature over our components verifies."""
    verify(independently_signed(make_response(make_request())))


def test_the_order_of_parameters_is_part_of_the_profile() -> None:
    """created, keyid, alg, tag."""
    exchange = independently_signed(make_response(make_request()))
    params = exchange.response_headers["signature-input"]
    assert params.endswith(';keyid="k1";alg="ed25519";tag="xinqiao-response"')
    swapped = params.replace(';keyid="k1";alg="ed25519"', ';alg="ed25519";keyid="k1"')
    assert refusal(with_header(exchange, "signature-input", swapped)) == "malformed"


def test_an_independent_verifier_accepts_what_the_fake_gateway_signs() -> None:
    """It verifies the fake gateway's answers."""
    signer = ResponseSigner("k9")
    jwk = KeySet.read({"keys": [signer.jwk]}).get("k9")
    assert jwk is not None
    response = signer.sign(
        make_request(), make_response(make_request()), created=int(datetime.now(UTC).timestamp())
    )
    resolver = MappingKeyResolver(public_keys={"k9": jwk.public}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
    found = verifier.verify(
        response, expect_tag="xinqiao-response", require_components=PROFILE, body=response.content
    )
    assert [result.label for result in found] == ["xinqiao"]


def test_the_signature_base_is_exact_to_the_byte() -> None:
    """A fixed vector for implementers."""
    covered = (('"@status"', "200"), ('"content-digest"', sha256_digest(b"")))
    assert signature_base(covered, '("@status" "content-digest");created=1;keyid="k"') == (
        b'"@status": 200\n'
        b'"content-digest": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n'
        b'"@signature-params": ("@status" "content-digest");created=1;keyid="k"'
    )


def test_a_request_without_a_body_has_no_digest_to_cover() -> None:
    """For GET; covering fewer components is refused."""
    names = PROFILE[:5]
    verify(independently_signed(make_response(make_request(b"", "GET")), names))
    assert refusal(independently_signed(make_response(make_request()), names)) == "components"


def test_a_refusal_may_leave_the_requests_digest_out_and_then_says_nothing_of_the_body() -> None:
    """If it was made before the body was read; the evidence then has no body."""
    window = timedelta(minutes=5)
    for names, body in ((PROFILE[:5], b""), (PROFILE, b'{"a":1}')):
        exchange = independently_signed(make_response(make_request(), 401), names)
        claimed = read_claims(exchange)
        covered = verify_signature(exchange, claimed, the_key(), earliest=None, latest=NOW + window)
        assert covered.request_body == body
        assert ("content-digest" in covered.request_headers) == bool(body)


def test_a_refusal_never_vouches_for_a_digest_that_is_not_the_bodys() -> None:
    """For any signature."""
    request = make_request()
    request.headers["Content-Digest"] = sha256_digest(b"another")
    verify(independently_signed(make_response(request, 400), PROFILE[:5]))
    assert refusal(independently_signed(make_response(request, 400))) == "components"
    assert refusal(independently_signed(make_response(request, 200))) == "digest"


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("{right}, md5=:AAAA:", "digest"),
        ("{right}, sha-512=:AAAA:", "digest"),
        ("sha-512=:AAAA:, {right}", "digest"),
        ("{right}, {right}x", "malformed"),
        ("{right};q=1", "malformed"),
        ("{right},", "malformed"),
        ("", "malformed"),
    ],
)
def test_every_member_of_a_digest_counts(field: str, reason: str) -> None:
    """As at the gateway: other algorithms, parameters and empty members are refused."""
    exchange = independently_signed(make_response(make_request()))
    value = field.format(right=exchange.response_headers["content-digest"])
    assert refusal(with_header(exchange, "content-digest", value)) == reason


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("=:", "=: ", 1),
        lambda text: text[:-3] + chr(ord(text[-3]) ^ 1) + "=:",
        lambda text: text.replace("==:", ":"),
        lambda text: text[:-1] + "é:",
        lambda text: text[:-1] + "\uff21:",
        lambda text: f"{text}, X=:AAAA:",
    ],
)
def test_a_signature_has_one_text(spoil: Callable[[str], str]) -> None:
    """Canonical base64 without white space."""
    exchange = independently_signed(make_response(make_request()))
    value = spoil(exchange.response_headers["signature"])
    assert refusal(with_header(exchange, "signature", value)) == "malformed"


def test_the_verified_exchange_has_signed_parts_only() -> None:
    """Other signatures and unsigned headers are dropped."""
    exchange = independently_signed(make_response(make_request(b"", "GET")), PROFILE[:5])
    more = replace(
        with_header(exchange, "signature", f"sm2=:AAAA:, {exchange.response_headers['signature']}"),
        request_headers={"content-digest": sha256_digest(b"")},
    )
    latest = NOW + timedelta(minutes=5)
    assert (
        verify_signature(more, read_claims(more), the_key(), earliest=None, latest=latest)
        == exchange
    )


def test_an_answer_without_a_body_has_no_type_to_cover() -> None:
    """A 204 has no content type and the digest of an empty body."""
    response = httpx2.Response(
        204, headers={"Content-Digest": sha256_digest(b"")}, request=make_request(b"", "DELETE")
    )
    verify(independently_signed(response, ('"@status"', '"content-digest"', *PROFILE[3:5])))


def test_a_signed_request_is_bound_by_its_signature() -> None:
    """The request's signature is the last component."""
    request = make_request()
    request.headers["Signature"] = "bank=:AAAA:"
    names = (*PROFILE, '"signature";req;key="bank"')
    verify(independently_signed(make_response(request), names))
    assert refusal(independently_signed(make_response(request))) == "components"


def test_a_second_signature_beside_ours_is_not_looked_at() -> None:
    """An SM2 signature under another label, for instance."""
    exchange = independently_signed(make_response(make_request()))
    for name, other in (
        ("signature-input", 'sm2=("@status");created=1;keyid="a,b";tag="x"'),
        ("signature", "sm2=:AAAA:"),
    ):
        exchange = with_header(exchange, name, f"{other}, {exchange.response_headers[name]}")
    verify(exchange)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 403}, "signature"),
        ({"method": "PUT"}, "signature"),
        ({"target_uri": URL.replace("verifications", "queries")}, "signature"),
        ({"target_uri": URL.replace("gateway.test", "evil.test")}, "signature"),
        ({"target_uri": URL.partition("?")[0]}, "signature"),
        ({"response_body": b'{"answer":"yes"}'}, "digest"),
        ({"response_body": b""}, "components"),
        ({"request_body": b'{"a":2}'}, "digest"),
        ({"request_body": b""}, "components"),
    ],
)
def test_a_changed_part_of_the_exchange_is_refused(change: dict[str, Any], reason: str) -> None:
    """Any change after signing."""
    exchange = independently_signed(make_response(make_request()))
    assert refusal(replace(exchange, **change)) == reason


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("signature", None, "missing"),
        ("signature-input", None, "missing"),
        ("content-digest", None, "missing"),
        ("content-type", None, "missing"),
        ("content-type", "text/html", "signature"),
        ("content-digest", sha256_digest(b"x"), "digest"),
        ("content-digest", "sha-512=:AAAA:", "digest"),
        ("content-digest", "sha-256=AAAA", "malformed"),
        ("signature", "other=:AAAA:", "missing"),
        ("signature", "xinqiao=:AAAA:", "signature"),
        ("signature", "xinqiao=:====:", "malformed"),
        ("signature", 'xinqiao="AAAA"', "malformed"),
        ("signature", f"xinqiao=:{'A' * 9000}:", "malformed"),
        ("signature-input", "xinqiao", "malformed"),
        ("signature-input", 'xinqiao="unbalanced', "malformed"),
        ("signature-input", "xinqiao=()", "malformed"),
    ],
)
def test_a_missing_or_malformed_field_is_refused(name: str, value: str | None, reason: str) -> None:
    """Missing or malformed fields."""
    exchange = independently_signed(make_response(make_request()))
    assert refusal(with_header(exchange, name, value)) == reason


def test_two_members_of_our_label_are_refused() -> None:
    """Duplicate dictionary members."""
    exchange = independently_signed(make_response(make_request()))
    twice = ", ".join([exchange.response_headers["signature-input"]] * 2)
    assert refusal(with_header(exchange, "signature-input", twice)) == "malformed"


def test_a_signature_for_another_use_is_refused() -> None:
    """The tag of request signatures."""
    assert (
        refusal(independently_signed(make_response(make_request()), tag="xinqiao-request")) == "tag"
    )


def test_a_signature_without_tag_or_with_more_parameters_is_refused() -> None:
    """Exactly four parameters."""
    assert refusal(independently_signed(make_response(make_request()), tag=None)) == "malformed"
    assert refusal(independently_signed(make_response(make_request()), nonce="n")) == "malformed"
    assert (
        refusal(independently_signed(make_response(make_request()), include_alg=False))
        == "malformed"
    )


def test_another_algorithm_is_refused_by_its_name() -> None:
    """The algorithm is fixed."""
    exchange = independently_signed(make_response(make_request()))
    params = exchange.response_headers["signature-input"].replace("ed25519", "hmac-sha256")
    assert refusal(with_header(exchange, "signature-input", params)) == "algorithm"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_made_too_early_or_too_late_is_refused(minutes: int) -> None:
    """More than five minutes from now."""
    created = NOW + timedelta(minutes=minutes)
    assert (
        refusal(independently_signed(make_response(make_request()), created=created)) == "created"
    )


@pytest.mark.parametrize("minutes", [-5, 5])
def test_the_window_includes_its_ends(minutes: int) -> None:
    """Five minutes exactly."""
    created = NOW + timedelta(minutes=minutes)
    verify(independently_signed(make_response(make_request()), created=created))


def test_a_key_signs_only_while_it_is_in_force() -> None:
    """By its validity."""
    exchange = independently_signed(make_response(make_request()))
    hour = timedelta(hours=1)
    verify(exchange, the_key(not_before=NOW - hour, retired_at=NOW + hour))
    assert refusal(exchange, the_key(not_before=NOW + hour)) == "key"
    assert refusal(exchange, the_key(retired_at=NOW - hour)) == "key"


def test_another_key_of_the_same_name_is_refused() -> None:
    """The signature decides, not the kid."""
    exchange = independently_signed(make_response(make_request()))
    stranger = KeySet.read(FakeGateway().jwks).get("response-1")
    assert refusal(exchange, stranger) == "signature"


@pytest.mark.parametrize(
    "member",
    [{"xinqiao_use": "token"}, {"use": "enc"}, {"alg": "ES256"}, {"crv": "X25519"}, {"kty": "EC"}],
)
def test_keys_for_other_uses_are_no_response_keys(member: dict[str, str]) -> None:
    """Token keys cannot sign answers."""
    jwk = {**FakeGateway().jwks["keys"][0], **member}
    assert KeySet.read({"keys": [jwk]}).by_kid == {}


@pytest.mark.parametrize(
    "member",
    [
        {"kid": None},
        {"x": "AAAA"},
        {"x": None},
        {"retired_at": "yesterday"},
        {"not_before": "2026-01-01T00:00:00"},
    ],
)
def test_a_response_key_that_cannot_be_read_is_refused(member: dict[str, str | None]) -> None:
    """The whole key set is refused."""
    jwk = {**FakeGateway().jwks["keys"][0], **member}
    with pytest.raises(ConfigurationError):
        KeySet.read({"keys": [jwk]})


def test_two_keys_of_one_name_are_refused() -> None:
    """Ambiguous kids."""
    with pytest.raises(ConfigurationError, match="same kid"):
        KeySet.read({"keys": FakeGateway().jwks["keys"] * 2})


def test_the_longest_field_of_open_quotations_is_refused_at_once() -> None:
    """Five hundred times in 30 seconds of CPU; read again from each quotation it would be minutes."""
    script = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from xinqiao._core.signatures.http_signatures import MAX_FIELD, members_of
from xinqiao.errors import SignatureInvalid
for _ in range(500):
    try:
        members_of((chr(92) + '"') * (MAX_FIELD // 2))
    except SignatureInvalid:
        continue
    raise AssertionError
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
