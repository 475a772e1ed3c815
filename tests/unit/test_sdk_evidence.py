"""Evidence: kept, verified again offline, and refused when anything in it was changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xinqiao import Evidence, errors, verify_evidence
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"


@pytest.fixture
def gateway() -> FakeGateway:
    gateway = FakeGateway()
    gateway.add_enterprise(USCC, answers={"is_active.v1": "no"})
    return gateway


@pytest.fixture
def evidence(gateway: FakeGateway) -> Evidence:
    asked = {"is_active.v1": None, "enterprise_name.v1": "甲公司"}
    return gateway.client().verify(USCC, purpose="tender", questions=asked).evidence


def refusal(bundle: Any, keys: Any) -> errors.EvidenceInvalid:
    with pytest.raises(errors.EvidenceInvalid) as caught:
        verify_evidence(bundle, keys=keys)
    return caught.value


def changed(evidence: Evidence, path: tuple[str, ...], value: object) -> dict[str, Any]:
    bundle = copy.deepcopy(evidence.to_dict())
    *way, last = path
    part = bundle
    for name in way:
        part = part[name]
    part[last] = value
    return bundle


def leaves(
    part: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def test_evidence_is_verified_again_offline(
    gateway: FakeGateway, evidence: Evidence, tmp_path: Path
) -> None:
    """From an object, a mapping and a file, with keys as a mapping and a file."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(gateway.jwks))
    kept = evidence.save(tmp_path / "evidence.json")
    for source in (evidence, evidence.to_dict(), kept, str(kept)):
        for trusted in (gateway.jwks, keys):
            again = verify_evidence(source, keys=trusted)
            assert again == evidence
    assert again.json()["answers"][0] == {"question": "is_active.v1", "answer": "no"}
    assert again.keyid == "response-1"
    assert again.status == 200


def test_a_file_of_evidence_is_for_its_owner_only(evidence: Evidence, tmp_path: Path) -> None:
    """It holds credit data."""
    assert evidence.save(tmp_path / "e.json").stat().st_mode & 0o777 == 0o600


def test_evidence_holds_no_token_and_does_not_print_bodies(
    gateway: FakeGateway, evidence: Evidence
) -> None:
    """It is handed on to others, and its repr lands in logs."""
    text = evidence.to_json()
    for token in gateway.oauth.tokens:
        assert token not in text
    assert '"dpop"' not in text.lower()
    assert USCC not in repr(evidence)


def test_every_part_of_evidence_is_covered(gateway: FakeGateway, evidence: Evidence) -> None:
    """Change any one value in the bundle, or leave it out, and it is refused."""
    for path, value in leaves(evidence.to_dict()):
        other = value + 1 if isinstance(value, int) else f"{value}x"
        assert refusal(changed(evidence, path, other), gateway.jwks).reason, path
        bundle = changed(evidence, path, None)
        assert refusal(bundle, gateway.jwks).reason, path


@pytest.mark.parametrize(
    ("path", "value", "reason", "says"),
    [
        (("response", "body"), "{}", "digest", "body of the answer differs"),
        (("request", "body"), "{}", "digest", "body of the request differs"),
        (("response", "status"), 403, "signature", "signature does not fit"),
        (("request", "method"), "PUT", "signature", "signature does not fit"),
        (("request", "target_uri"), "https://evil.test/", "signature", "signature does not fit"),
        (("response", "headers"), {}, "missing", "no signature-input"),
        (
            ("key", "x"),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "key",
            "differs from the trusted",
        ),
        (("key", "kid"), "response-2", "key", "differs from the trusted"),
        (("signed_at",), "2020-01-01T00:00:00+00:00", "created", "signed_at"),
        (("format",), "xinqiao-evidence/9", "malformed", "not evidence of the form"),
        (("request",), {}, "malformed", "lacks a part"),
        (("response", "body_encoding"), "base64", "malformed", "lacks a part"),
        (("response", "headers", "x-request-id"), "r", "malformed", "lacks a part"),
    ],
)
def test_a_refusal_says_what_differs(
    gateway: FakeGateway,
    evidence: Evidence,
    path: tuple[str, ...],
    value: object,
    reason: str,
    says: str,
) -> None:
    """Digest, signature or key, in a plain sentence."""
    error = refusal(changed(evidence, path, value), gateway.jwks)
    assert error.reason == reason
    assert says in error.detail


def test_a_forger_who_brings_his_own_key_is_refused(evidence: Evidence) -> None:
    """Trust begins outside the bundle."""
    error = refusal(evidence, FakeGateway().jwks)
    assert error.reason == "key"
    assert "differs from the trusted key" in error.detail
    assert "not among the trusted keys" in refusal(evidence, {"keys": []}).detail


def test_evidence_stays_good_after_the_key_is_retired(
    gateway: FakeGateway, evidence: Evidence
) -> None:
    """A key's time is judged at the signature, not at the check."""
    key = gateway.jwks["keys"][0]
    later, earlier = ((evidence.signed_at + timedelta(days=days)).isoformat() for days in (1, -1))
    much_later = datetime.now(UTC) + timedelta(days=3650)
    verify_evidence(evidence, keys={"keys": [{**key, "retired_at": later}]}, now=much_later)
    assert refusal(evidence, {"keys": [{**key, "retired_at": earlier}]}).reason == "key"


def test_evidence_from_the_future_is_refused(gateway: FakeGateway, evidence: Evidence) -> None:
    """It was not made yet."""
    before = evidence.signed_at - timedelta(hours=1)
    with pytest.raises(errors.EvidenceInvalid) as caught:
        verify_evidence(evidence, keys=gateway.jwks, now=before)
    assert caught.value.reason == "created"


def test_a_file_that_cannot_be_read_is_not_called_a_forgery(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    """Missing, not JSON, not an object."""
    broken = tmp_path / "broken.json"
    for text in (None, "{", "[]"):
        if text is not None:
            broken.write_text(text)
        with pytest.raises(errors.ConfigurationError):
            verify_evidence(broken, keys=gateway.jwks)


def test_answers_without_a_body_leave_evidence_too(gateway: FakeGateway) -> None:
    """That a consent was given up can be shown."""
    consent = gateway.grant_consent(USCC, purpose="tender", datasets=["licence"])
    given_up = gateway.client().give_up_consent(consent.consent_id)
    assert verify_evidence(given_up.to_dict(), keys=gateway.jwks).status == 204


def test_a_body_that_is_not_text_is_kept_exactly(gateway: FakeGateway) -> None:
    """In base64."""
    client = gateway.client()
    kept = client.request("POST", "/v1/anything", content=b"\xff\x00")
    assert kept.to_dict()["request"]["body_encoding"] == "base64"
    assert verify_evidence(json.loads(kept.to_json()), keys=gateway.jwks) == kept
