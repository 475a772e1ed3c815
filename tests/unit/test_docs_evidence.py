"""Test vector of `docs/integrate/evidence.md`, verified by its eight steps alone, and by the SDK."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.docs.pages import DOCS
from xinqiao import errors, verify_evidence

Json = dict[str, Any]

PAGE: Final = DOCS / "integrate" / "evidence.md"
EVIDENCE: Final[Json] = json.loads((PAGE.parent / "examples" / "evidence.json").read_text())
KEYS: Final[Json] = json.loads((PAGE.parent / "examples" / "evidence-keys.json").read_text())
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MEMBERS: Final = {
    (): {"format", "request", "response", "signed_at", "key"},
    ("request",): {"method", "target_uri", "headers", "body", "body_encoding"},
    ("response",): {"status", "headers", "body", "body_encoding"},
    ("key",): {"kty", "crv", "x", "kid"},
}
SIGNED: Final = re.compile(
    r'xinqiao=(\(([^()]*)\);created=([0-9]{1,11});keyid="([!#-\[\]-~]+)";alg="ed25519"'
    r';tag="xinqiao-response")'
)


def failing_step(evidence: Json, trusted: Json) -> int | None:
    """The first step of the page that fails, or `None`: an independent reading of it."""
    checks = _steps(evidence, trusted)
    return next((step for step, holds in checks if not holds), None)


def _steps(evidence: Json, trusted: Json) -> Iterator[tuple[int, bool]]:
    request, response = evidence["request"], evidence["response"]
    yield 1, evidence["format"] == "xinqiao-evidence/1"
    yield 1, all(_at(evidence, path).keys() == names for path, names in MEMBERS.items())
    asked, told = _body(request), _body(response)
    yield 2, not any(_is_base64_of_text(each) for each in (request, response))
    signed = SIGNED.fullmatch(response["headers"]["signature-input"])
    yield 3, signed is not None
    assert signed is not None
    params, names, created, kid = signed[1], signed[2], int(signed[3]), signed[4]
    covered = _covered(request, response, asked=asked, told=told)
    yield 4, names == " ".join(name for name, _ in covered)
    key: Json = next((each for each in trusted["keys"] if each["kid"] == kid), {})
    yield 5, key.get("xinqiao_use") == "response"
    yield 5, evidence["key"] == {name: key[name] for name in MEMBERS["key",]}
    yield 6, _seconds(key.get("not_before", "1970-01-01T00:00:00Z")) <= created
    retired = datetime.fromisoformat(key.get("retired_at", "9999-01-01T00:00:00Z"))
    yield 6, created < retired.timestamp()
    yield 6, created <= time.time()
    yield 6, evidence["signed_at"] == datetime.fromtimestamp(created, UTC).isoformat()
    yield 7, not asked or _digest(asked) == request["headers"]["content-digest"]
    yield 7, _digest(told) == response["headers"]["content-digest"]
    lines = [f"{name}: {value}" for name, value in covered]
    base = "\n".join([*lines, f'"@signature-params": {params}'])
    signature = response["headers"]["signature"].removeprefix("xinqiao=:").removesuffix(":")
    yield 8, _verifies(key["x"], base64.b64decode(signature), base.encode())


def _covered(request: Json, response: Json, *, asked: bytes, told: bytes) -> list[tuple[str, str]]:
    return [
        ('"@status"', str(response["status"])),
        *([('"content-type"', response["headers"]["content-type"])] if told else []),
        ('"content-digest"', response["headers"]["content-digest"]),
        ('"@method";req', request["method"]),
        ('"@target-uri";req', request["target_uri"]),
        *([('"content-digest";req', request["headers"]["content-digest"])] if asked else []),
    ]


def _at(value: Json, path: tuple[str, ...]) -> Json:
    for name in path:
        value = value[name]
    return value


def _body(part: Json) -> bytes:
    text: str = part["body"]
    return text.encode() if part["body_encoding"] == "utf-8" else base64.b64decode(text)


def _is_base64_of_text(part: Json) -> bool:
    try:
        _body(part).decode()
    except UnicodeDecodeError:
        return False
    return bool(part["body_encoding"] == "base64")


def _digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _seconds(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())


def _verifies(x: str, signature: bytes, base: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=")).verify(
            signature, base
        )
    except InvalidSignature:
        return False
    return True


def _with_note(evidence: Json, _: Json) -> None:
    evidence["note"] = "paid"


def _in_base64(evidence: Json, _: Json) -> None:
    body = base64.b64encode(evidence["response"]["body"].encode()).decode()
    evidence["response"] |= {"body": body, "body_encoding": "base64"}


def _with_another_tag(evidence: Json, _: Json) -> None:
    _replace(evidence["response"]["headers"], "signature-input", "xinqiao-response", "another")


def _without_the_requests_digest(evidence: Json, _: Json) -> None:
    _replace(evidence["response"]["headers"], "signature-input", ' "content-digest";req', "")


def _with_another_key(evidence: Json, _: Json) -> None:
    forger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    x = base64.urlsafe_b64encode(forger.public_key().public_bytes_raw()).decode().rstrip("=")
    evidence["key"]["x"] = x
    signature = base64.b64encode(forger.sign(_base_of_the_page())).decode()
    evidence["response"]["headers"]["signature"] = f"xinqiao=:{signature}:"


def _retired_before(_: Json, trusted: Json) -> None:
    trusted["keys"][0]["retired_at"] = "2026-11-22T00:00:00+08:00"


def _retired_then(_: Json, trusted: Json) -> None:
    trusted["keys"][0]["retired_at"] = "2026-11-22T10:00:00+08:00"


def _signed_a_second_later(evidence: Json, _: Json) -> None:
    _replace(evidence, "signed_at", "02:00:00", "02:00:01")


def _with_another_answer(evidence: Json, _: Json) -> None:
    _replace(evidence["response"], "body", '"yes"', '"no"')


def _without_blanks(evidence: Json, _: Json) -> None:
    evidence["response"]["body"] = evidence["response"]["body"].rstrip(" ")


def _with_another_status(evidence: Json, _: Json) -> None:
    evidence["response"]["status"] = 201


def _replace(part: Json, name: str, old: str, new: str) -> None:
    assert old in part[name]
    part[name] = part[name].replace(old, new)


CHANGES: Final = (
    (_with_note, 1),
    (_in_base64, 2),
    (_with_another_tag, 3),
    (_without_the_requests_digest, 4),
    (_with_another_key, 5),
    (_retired_before, 6),
    (_retired_then, 6),
    (_signed_a_second_later, 6),
    (_with_another_answer, 7),
    (_without_blanks, 7),
    (_with_another_status, 8),
)


def _base_of_the_page() -> bytes:
    found = re.search(r"```text\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1].encode()


def test_the_test_vector_verifies_by_the_steps_of_the_page_and_by_the_sdk() -> None:
    """Two implementations, one of which knows only the page."""
    assert failing_step(EVIDENCE, KEYS) is None
    verified = verify_evidence(EVIDENCE, keys=KEYS)
    assert verified.to_dict() == EVIDENCE
    assert verified.result().purpose == "merchant_onboarding"


def test_the_signature_base_of_the_page_is_what_was_signed() -> None:
    """By the key that the page names; Ed25519 gives one signature."""
    signature = base64.b64encode(PRIVATE.sign(_base_of_the_page())).decode()
    assert EVIDENCE["response"]["headers"]["signature"] == f"xinqiao=:{signature}:"


@pytest.mark.parametrize(("change", "step"), CHANGES)
def test_each_change_of_the_page_is_refused_at_its_step(
    change: Callable[[Json, Json], None], step: int
) -> None:
    """And by the SDK."""
    evidence, trusted = deepcopy(EVIDENCE), deepcopy(KEYS)
    change(evidence, trusted)
    assert failing_step(evidence, trusted) == step
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(evidence, keys=trusted)


@pytest.mark.parametrize("member", ["not_before", "retired_at"])
def test_a_key_in_force_for_a_part_of_a_second_has_signed_in_it(member: str) -> None:
    """By the page, and by the SDK."""
    trusted = deepcopy(KEYS)
    trusted["keys"][0][member] = "2026-11-22T10:00:00.5+08:00"
    assert failing_step(EVIDENCE, trusted) is None
    assert verify_evidence(EVIDENCE, keys=trusted).to_dict() == EVIDENCE


def test_each_row_of_the_page_is_tried() -> None:
    """And no change that it does not have."""
    rows = re.findall(r"^\| .* \| ([0-9]) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    twice = 1  # which only a text can show
    assert sorted(int(each) for each in rows) == sorted([twice, *(step for _, step in CHANGES)])


def test_a_member_that_stands_twice_is_refused() -> None:
    """Even with the same value."""
    text = json.dumps(EVIDENCE, ensure_ascii=False)
    assert verify_evidence(text, keys=KEYS).to_dict() == EVIDENCE
    format_ = '"format": "xinqiao-evidence/1", '
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(text.replace(format_, format_ * 2), keys=KEYS)
