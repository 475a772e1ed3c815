"""Evidence bundles: offline verification, and refusal of any change."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from xinqiao import Evidence, QuestionTag, errors, verify_evidence
from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao.cli._app import app
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"


@pytest.fixture
def fake_gateway() -> FakeGateway:
    fake_gateway = FakeGateway()
    fake_gateway.add_enterprise(USCC, answers={"is_active.v1": "no"})
    return fake_gateway


@pytest.fixture
def evidence(fake_gateway: FakeGateway) -> Evidence:
    asked: dict[QuestionTag, str | None] = {"is_active.v1": None, "enterprise_name.v1": "甲公司"}
    return fake_gateway.client().verify(USCC, purpose="tender", questions=asked).evidence


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
    fake_gateway: FakeGateway, evidence: Evidence, tmp_path: Path
) -> None:
    """As object, mapping, text and file, with keys as mapping, text and file."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(fake_gateway.jwks))
    kept = evidence.save(tmp_path / "evidence.json")
    for source in (evidence, evidence.to_dict(), evidence.to_json(), kept, str(kept)):
        for trusted in (fake_gateway.jwks, keys.read_text(), keys):
            again = verify_evidence(source, keys=trusted)
            assert again == evidence
    assert again.json()["answers"][0] == {"question": "is_active.v1", "answer": "no"}
    assert again.keyid == "response-1"
    assert again.status == 200


def test_a_file_of_evidence_is_for_its_owner_only(evidence: Evidence, tmp_path: Path) -> None:
    """Mode 0600."""
    kept = evidence.save(tmp_path / "e.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("older evidence")
    with pytest.raises(errors.EvidenceExists, match=re.escape(f"{kept} exists")):
        evidence.save(kept)
    assert kept.read_text() == "older evidence"
    evidence.save(kept, overwrite=True)
    assert kept.read_text() == evidence.to_json() + "\n"


def test_evidence_holds_no_token_and_does_not_print_bodies(
    fake_gateway: FakeGateway, evidence: Evidence
) -> None:
    """Evidence is passed on and logged."""
    text = evidence.to_json()
    for token in fake_gateway.oauth.tokens:
        assert token not in text
    assert '"dpop"' not in text.lower()
    assert USCC not in repr(evidence)


def test_every_part_of_evidence_is_covered(fake_gateway: FakeGateway, evidence: Evidence) -> None:
    """Changing or removing any value is detected."""
    for path, value in leaves(evidence.to_dict()):
        other = value + 1 if isinstance(value, int) else f"{value}x"
        assert refusal(changed(evidence, path, other), fake_gateway.jwks).reason, path
        bundle = changed(evidence, path, None)
        assert refusal(bundle, fake_gateway.jwks).reason, path


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
    fake_gateway: FakeGateway,
    evidence: Evidence,
    path: tuple[str, ...],
    value: object,
    reason: str,
    says: str,
) -> None:
    """Digest, signature or key."""
    error = refusal(changed(evidence, path, value), fake_gateway.jwks)
    assert error.reason == reason
    assert says in error.detail


def test_a_forger_who_brings_his_own_key_is_refused(evidence: Evidence) -> None:
    """Keys in the bundle are not trusted."""
    error = refusal(evidence, FakeGateway().jwks)
    assert error.reason == "key"
    assert "differs from the trusted key" in error.detail
    assert "not among the trusted keys" in refusal(evidence, {"keys": []}).detail


def test_evidence_stays_good_after_the_key_is_retired(
    fake_gateway: FakeGateway, evidence: Evidence
) -> None:
    """Validity is judged at the time of the signature."""
    key = fake_gateway.jwks["keys"][0]
    later, earlier = ((evidence.signed_at + timedelta(days=days)).isoformat() for days in (1, -1))
    much_later = datetime.now(UTC) + timedelta(days=3650)
    verify_evidence(evidence, keys={"keys": [{**key, "retired_at": later}]}, now=much_later)
    assert refusal(evidence, {"keys": [{**key, "retired_at": earlier}]}).reason == "key"


def test_evidence_from_the_future_is_refused(fake_gateway: FakeGateway, evidence: Evidence) -> None:
    """Signed after now."""
    before = evidence.signed_at - timedelta(hours=1)
    with pytest.raises(errors.EvidenceInvalid) as caught:
        verify_evidence(evidence, keys=fake_gateway.jwks, now=before)
    assert caught.value.reason == "created"


def test_a_file_that_cannot_be_read_is_not_called_a_forgery(
    fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """Missing file, or a folder."""
    for path in (tmp_path / "none.json", tmp_path, "a\0b"):
        with pytest.raises(errors.ConfigurationError) as caught:
            verify_evidence(path, keys=fake_gateway.jwks)
        assert not isinstance(caught.value, errors.EvidenceInvalid)


Spoiling = Callable[[str], str | bytes]


def put(old: str, new: str) -> Spoiling:
    """Replace the first occurrence."""

    def spoil(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return spoil


SPOILT: Final[dict[str, Spoiling]] = {
    "a status that is no number": put('"status": 200', '"status": "2_00"'),
    "a status in digits of another script": put('"status": 200', '"status": "２００"'),
    "a status of digits": put('"status": 200', '"status": "200"'),
    "a status with a fraction": put('"status": 200', '"status": 200.9'),
    "a status as a float": put('"status": 200', '"status": 200.0'),
    "a status with an exponent": put('"status": 200', '"status": 2e2'),
    "a status that is true": put('"status": 200', '"status": true'),
    "a status twice": put('"status": 200', '"status": 403, "status": 200'),
    "a status twice, the right one first": put('"status": 200', '"status": 200, "status": 403'),
    "a status beyond any reader": put('"status": 200', '"status": 1e400'),
    "a very long status": put('"status": 200', f'"status": {"2" * 10_000}'),
    "not a number": put('"status": 200', '"status": NaN'),
    "a body twice": put('"body": "', '"body": "{}", "body": "'),
    "a body twice, spelled in another way": put('"body": "', '"\\u0062ody": "{}", "body": "'),
    "an unknown member": put("{", '{"note": "verified by the regulator", '),
    "an unknown member of the request": put('"method"', '"sent_at": "2026-01-01", "method"'),
    "an unknown member of the answer": put('"status"', '"reason": "OK", "status"'),
    "an unknown member of the key": put('"kty"', '"owner": "x", "kty"'),
    "a header that nobody signed": put('"headers": {', '"headers": {"signature": "a=:AAAA:", '),
    "another signature beside ours": put("xinqiao=:", "sm2=:AAAA:, xinqiao=:"),
    "a signature that is not ASCII": put("xinqiao=:", "xinqiao=:é"),
    "a signature with bits that nobody reads": lambda text: re.sub(
        r"(xinqiao=:.{85})(.)==:", lambda m: f"{m[1]}{chr(ord(m[2]) + 1)}==:", text
    ),
    "blanks around a header": put('"sha-256=:', '" sha-256=:'),
    "another spelling of a time": put("+00:00", "Z"),
    "a body in another encoding": put('"body_encoding": "utf-8"', '"body_encoding": "UTF-8"'),
    "half of a surrogate pair": put("is_active", "is_\\ud800active"),
    "deep nesting": put("{", '{"x": ' + "[" * 100_000 + "]" * 100_000 + ", "),
    "deep nesting in a member": put('"status": 200', '"status": ' + '{"a":' * 900 + "1" + "}" * 900),
    "a byte order mark": lambda text: "\ufeff" + text,
    "not UTF-8": lambda text: text.encode().replace(b"is_active", b"is\xff_active"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "a document behind it": lambda text: text + "{}",
    "cut off": lambda text: text[:-20],
    "nothing": lambda _: "",
    "a list": lambda text: f"[{text}]",
    "a number": lambda _: "1e400",
    "null": lambda _: "null",
    "no request": lambda text: json.dumps(json.loads(text) | {"request": None}),
    "a list for a request": lambda text: json.dumps(json.loads(text) | {"request": []}),
    "a text for a key": lambda text: json.dumps(json.loads(text) | {"key": "k"}),
    "a number for a time": lambda text: json.dumps(json.loads(text) | {"signed_at": 1}),
    "a very large file": lambda text: text + " " * (64 << 20),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_ambiguous_json_is_not_authentic(
    fake_gateway: FakeGateway, evidence: Evidence, tmp_path: Path, what: str
) -> None:
    """One sentence, and no exception."""
    file, keys = tmp_path / "evidence.json", tmp_path / "keys.json"
    spoilt = SPOILT[what](evidence.to_json())
    file.write_bytes(
        spoilt if isinstance(spoilt, bytes) else spoilt.encode("utf-8", "surrogatepass")
    )
    keys.write_text(json.dumps(fake_gateway.jwks))
    result = CliRunner().invoke(app, ["verify-evidence", str(file), "--keys", str(keys)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith(("✘ NOT AUTHENTIC: ", "✘ Cannot be read as evidence: "))
    assert "authentic as of" not in result.output


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}'])
def test_a_file_that_is_not_evidence_is_not_called_a_forgery(
    fake_gateway: FakeGateway, tmp_path: Path, text: str
) -> None:
    """It cannot be read as evidence, in English as in Chinese."""
    file, keys = tmp_path / "evidence.json", tmp_path / "keys.json"
    file.write_text(text)
    keys.write_text(json.dumps(fake_gateway.jwks))
    told = CliRunner().invoke(
        app, ["verify-evidence", str(file), "--keys", str(keys), "--lang", "en"]
    )
    assert told.exit_code == 1
    assert told.stderr.startswith("✘ Cannot be read as evidence: ")
    assert "NOT AUTHENTIC" not in told.stderr


def stored_result(fake_gateway: FakeGateway, kind: str) -> dict[str, Any]:
    """A result of the SDK as JSON, by its `to_dict`."""
    uscc = "91330106MA2XXXXXX0"
    fake_gateway.add_enterprise(uscc, records=[{"dataset": "penalty", "fields": {"fine": "1.2"}}])
    fake_gateway.grant_consent(uscc, purpose="tender", datasets=["penalty"])
    client = fake_gateway.client()
    result: Any = (
        client.query(uscc, purpose="tender", datasets=["penalty"])
        if kind == "query"
        else client.verify(uscc, purpose="tender", questions=["is_active.v1"])
    )
    told: dict[str, Any] = json.loads(json.dumps(result.to_dict()))
    return told


@pytest.mark.parametrize("kind", ["query", "verification"])
def test_a_stored_result_is_verified_by_its_evidence(
    fake_gateway: FakeGateway, tmp_path: Path, kind: str
) -> None:
    """By the command and the library; a member that this version adds may be missing."""
    told = stored_result(fake_gateway, kind)
    file, keys = tmp_path / "page.json", tmp_path / "keys.json"
    keys.write_text(json.dumps(fake_gateway.jwks))
    file.write_text(json.dumps(told))
    shown = CliRunner().invoke(app, ["verify-evidence", str(file), "--keys", str(keys)])
    assert shown.exit_code == 0, shown.output
    del told["disclosure_id"]
    assert verify_evidence(told, keys=fake_gateway.jwks).to_dict() == told["evidence"]


@pytest.mark.parametrize("kind", ["query", "verification"])
@pytest.mark.parametrize("forged", ["changed", "added", "emptied", "evidence"])
def test_a_stored_result_that_its_evidence_does_not_bear_out_is_refused(
    fake_gateway: FakeGateway, kind: str, forged: str
) -> None:
    """What stands beside the evidence is nobody's word."""
    told = stored_result(fake_gateway, kind)
    items = "records" if kind == "query" else "answers"
    if forged == "changed":
        told["disclosure_id"] = "dis_0"
    elif forged == "added":
        told[items][0]["note"] = "by the regulator"
    elif forged == "emptied":
        told[items] = []
    else:
        told["evidence"]["response"]["body"] += " "
    assert refusal(told, fake_gateway.jwks).reason == "digest"


def test_evidence_written_in_another_layout_is_the_same(
    fake_gateway: FakeGateway, evidence: Evidence, tmp_path: Path
) -> None:
    """White space, member order and escapes."""
    file = tmp_path / "evidence.json"
    bundle = evidence.to_dict()
    for text in (
        json.dumps(bundle, sort_keys=True, ensure_ascii=True),
        json.dumps(dict(reversed(bundle.items())), separators=(",", ":")),
    ):
        file.write_text(text)
        assert verify_evidence(file, keys=fake_gateway.jwks) == evidence


def test_a_refusal_made_before_the_body_was_read_vouches_for_no_body(
    fake_gateway: FakeGateway,
) -> None:
    """It holds no body, and none can be added."""
    refused = fake_gateway.client().request(
        "POST", "/v1/verifications", json={}, headers={"Content-Digest": "sha-512=:AAAA:"}
    )
    assert (refused.status, refused.json()["code"]) == (400, "digest_mismatch")
    bundle = refused.to_dict()
    assert (bundle["request"]["body"], bundle["request"]["headers"]) == ("", {})
    assert verify_evidence(bundle, keys=fake_gateway.jwks) == refused
    for part, value in (("body", "{}"), ("headers", {"content-digest": sha256_digest(b"{}")})):
        forged = copy.deepcopy(bundle)
        forged["request"][part] = value
        assert refusal(forged, fake_gateway.jwks).reason in {"malformed", "missing"}


def test_a_target_with_square_brackets_is_shown_as_it_is(
    fake_gateway: FakeGateway, tmp_path: Path
) -> None:
    """It is escaped from terminal markup."""
    kept = (
        fake_gateway.client()
        .request("GET", "/v1/questions?a=[/b]&b=[red]")
        .save(tmp_path / "e.json")
    )
    (tmp_path / "keys.json").write_text(json.dumps(fake_gateway.jwks))
    verify = ["verify-evidence", str(kept), "--keys", str(tmp_path / "keys.json")]
    result = CliRunner().invoke(app, verify)
    assert result.exit_code == 0, result.output
    assert "[/b]" in result.stdout


def test_answers_without_a_body_leave_evidence_too(fake_gateway: FakeGateway) -> None:
    """Giving up a consent, for instance."""
    consent = fake_gateway.grant_consent(USCC, purpose="tender", datasets=["licence"])
    given_up = fake_gateway.client().give_up_consent(consent.consent_id)
    assert verify_evidence(given_up.to_dict(), keys=fake_gateway.jwks).status == 204


def test_a_body_that_is_not_text_is_kept_exactly(fake_gateway: FakeGateway) -> None:
    """As base64."""
    client = fake_gateway.client()
    kept = client.request("POST", "/v1/anything", content=b"\xff\x00")
    assert kept.to_dict()["request"]["body_encoding"] == "base64"
    assert verify_evidence(json.loads(kept.to_json()), keys=fake_gateway.jwks) == kept
