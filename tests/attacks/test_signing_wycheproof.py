"""Wycheproof's JWS and JWK test vectors, all of them.

`tests/vectors/wycheproof/README.md` says which files they are. Where they are not, these tests are
skipped; `test_signing_jws_forgeries` makes the same attacks anew, with keys of its own.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import pytest

from gateway.oauth.client_assertion import ALGORITHMS
from gateway.signing import jws
from gateway.signing.jws import JwsError

FOLDER: Final = Path(
    os.environ.get("XINQIAO_TEST_WYCHEPROOF")
    or Path(__file__).parents[1] / "vectors" / "wycheproof",
)
SIGNATURES: Final = "json_web_signature_test.json"
KEYS: Final = "json_web_key_test.json"
DIGESTS: Final = {
    SIGNATURES: "8e687a06fe8359f4ec51480f1a9f73c8faebd6f4c01b818b843b44eee54fd5d9",
    KEYS: "be983255bce26406f97020ec5458b33930a90d5f868e604fcd569c300aba2862",
}
OUTCOMES: Final = {
    SIGNATURES: {("invalid", "refused"): 355, ("valid", "accepted"): 8, ("valid", "refused"): 38},
    KEYS: {("invalid", "refused"): 21, ("valid", "refused"): 5},
}
NOT_OURS: Final = {
    "HS256": "shared secrets are not taken",
    "HS384": "shared secrets are not taken",
    "HS512": "shared secrets are not taken",
    "RS256": "FAPI 2.0 forbids PKCS #1 v1.5",
    "RS384": "FAPI 2.0 forbids PKCS #1 v1.5",
    "RS512": "FAPI 2.0 forbids PKCS #1 v1.5",
    "PS384": "of RSA-PSS, PS256 alone is taken",
    "PS512": "of RSA-PSS, PS256 alone is taken",
    "ES512": "of ECDSA, ES256 alone is taken",
    None: "the header is not base64url; Wycheproof would let it pass",
}
"""Reasons to refuse a valid vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One test of a file, with its group's keys."""

    name: str
    result: str
    text: str
    keys: tuple[Mapping[str, Any], ...]
    flags: frozenset[str]

    def accepted(self) -> bool:
        """True if a key of the group verifies it, with any payload."""
        return any(_verifies(self.text, key) for key in self.keys)

    def algorithm(self) -> str | None:
        """`alg` of the header; `None` if unreadable."""
        try:
            return str(jwt.get_unverified_header(self.text)["alg"])
        except jwt.DecodeError:
            return None


def _verifies(text: str, key: Mapping[str, Any]) -> bool:
    try:
        header = jws.parse_compact(text).header
        jws.verifying_key(header, key, algorithms=ALGORITHMS).signed_payload(text)
    except JwsError:
        return False
    return True


def the_vectors(file: str) -> list[Vector]:
    """All tests of `file`, whose digest is checked."""
    path = FOLDER / file
    if not path.exists():
        pytest.skip(f"Wycheproof's {file} is not here; see tests/vectors/wycheproof/README.md")
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == DIGESTS[file]
    document = json.loads(data)
    found = [
        _vector(file, group, test) for group in document["testGroups"] for test in group["tests"]
    ]
    assert len(found) == len({vector.name for vector in found}) == document["numberOfTests"]
    return found


def _vector(file: str, group: Mapping[str, Any], test: Mapping[str, Any]) -> Vector:
    given = group.get("public") or group["private"]
    return Vector(
        name=f"{file} {test['tcId']} {group['comment']} {test['comment']}",
        result=test["result"],
        text=test["jws"],
        keys=tuple(given.get("keys", [given])),
        flags=frozenset(test["flags"]),
    )


@pytest.mark.parametrize("file", DIGESTS)
def test_no_vector_that_must_be_refused_is_accepted(file: str) -> None:
    """Forged, stripped, confused, or with an unsuitable key."""
    wrong = [v.name for v in the_vectors(file) if v.result != "valid" and v.accepted()]
    assert wrong == []


@pytest.mark.parametrize("file", DIGESTS)
def test_a_valid_vector_is_refused_for_its_algorithm_alone(file: str) -> None:
    """Supported algorithms are accepted; each other one has a listed reason."""
    for vector in the_vectors(file):
        if vector.result == "valid":
            assert vector.algorithm() in {*ALGORITHMS, *NOT_OURS}, vector.name
            assert vector.accepted() == (vector.algorithm() in ALGORITHMS), vector.name


@pytest.mark.parametrize("file", DIGESTS)
def test_no_vector_is_left_out(file: str) -> None:
    """The counts are those of the files."""
    tried = Counter(
        (vector.result, "accepted" if vector.accepted() else "refused")
        for vector in the_vectors(file)
    )
    assert dict(tried) == OUTCOMES[file]


def test_json_serialisation_is_never_taken() -> None:
    """JSON serialisation is refused."""
    written = [v for v in the_vectors(SIGNATURES) if "JsonSerialization" in v.flags]
    assert written
    for vector in written:
        with pytest.raises(JwsError, match="not a compact JWT"):
            jws.header(vector.text)
