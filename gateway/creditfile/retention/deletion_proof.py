"""Proof of deletion: a signed statement of which record versions were deleted, without their content. Pure.

Each version is committed to as SHA-256(salt ‖ [record id, version]); the statement holds the Merkle
root (RFC 9162) of the sorted commitments. A recipient of a record knows its id and version from the
disclosure and, given the salt, can check that it is included; without the salt the commitments
reveal nothing.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.rfc3339 import parse_time
from gateway.signing import jws
from gateway.signing.keys import SigningKey
from gateway.transparency import merkle

TYPE: Final = "xinqiao-deletion+jwt"
ALGORITHMS: Final = ("EdDSA",)
KEY_USE: Final = "log"
MEMBERS: Final = frozenset({"proof", "salt", "commitments"})
HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


class DeletedRecord(NamedTuple):
    """One deleted version of a record."""

    record_id: str
    version: int
    dataset: str


class ProofError(ValueError):
    """The proof of deletion is invalid; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionProof:
    """Content of a verified proof."""

    deletion_id: str
    issuer: str
    at: datetime
    catalogue_version: str
    deleted: Mapping[str, Mapping[str, int]]
    """Number of records and versions, by dataset."""


def commitment(salt: bytes, record_id: str, version: int) -> bytes:
    """Commitment to one version of one record."""
    return hashlib.sha256(salt + orjson.dumps([record_id, version])).digest()


def commitments(salt: bytes, gone: Iterable[DeletedRecord]) -> list[bytes]:
    """Commitments to all versions, sorted so that the order reveals nothing."""
    return sorted(commitment(salt, each.record_id, each.version) for each in gone)


def sign_statement(
    gone: Sequence[DeletedRecord],
    *,
    deletion_id: str,
    issuer: str,
    salt: bytes,
    catalogue: Catalogue,
    rule: Mapping[str, Any] | None = None,
    key: SigningKey,
    now: datetime,
) -> str:
    """Sign the statement that these versions were deleted, with the rule applied.

    Without a `rule` it is the retention of the catalogue.
    """
    datasets = sorted({each.dataset for each in gone})
    versions = Counter(each.dataset for each in gone)
    records = Counter(dataset for dataset, _ in {(e.dataset, e.record_id) for e in gone})
    claims = {
        "iss": issuer,
        "jti": deletion_id,
        "iat": int(now.timestamp()),
        "catalogue_version": catalogue.version,
        "rule": _retention_rule(datasets, catalogue) if rule is None else dict(rule),
        "deleted": {
            code: {"records": records[code], "versions": versions[code]} for code in datasets
        },
        "commitments": len(gone),
        "root": commitments_root(commitments(salt, gone)).hex(),
    }
    return jws.sign(claims, typ=TYPE, key=key)


def _retention_rule(datasets: Iterable[str], catalogue: Catalogue) -> dict[str, Any]:
    return {
        "name": "retention_of_bad_information",
        "months": {code: catalogue.rules_of(code).retention_months for code in datasets},
    }


def commitments_root(committed: Iterable[bytes]) -> bytes:
    """Merkle root of the commitments."""
    return merkle.root([merkle.leaf_hash(each) for each in committed])


def proof_document(statement: str, salt: bytes, committed: Iterable[bytes]) -> dict[str, Any]:
    """The proof as a file, with the salt."""
    return {
        "proof": statement,
        "salt": salt.hex(),
        "commitments": [each.hex() for each in committed],
    }


def verify(
    document: Mapping[str, Any], jwks: Mapping[str, Any], *, record: tuple[str, int] | None = None
) -> DeletionProof:
    """Verify a proof offline with published keys; `record` is an id and version to look for.

    1. the statement's key is published for the log, and was in use when it signed;
    2. the signature;
    3. as many commitments as it says, and their root;
    4. the record, where one is asked for, is among them.
    Raises `ProofError`.
    """
    try:
        statement, salt = str(document["proof"]), _bytes(document["salt"])
        committed = [_bytes(each) for each in document["commitments"]]
        if document.keys() != MEMBERS:
            raise ValueError("unknown member")
    except (KeyError, TypeError, ValueError):
        raise ProofError("This is not a file with a proof, a salt and commitments.") from None
    claims = _signed_claims(statement, jwks)
    root = commitments_root(committed).hex()
    if (len(committed), root) != (claims["commitments"], claims["root"]):
        raise ProofError("The commitments are not those that were signed.")
    if record is not None and commitment(salt, *record) not in committed:
        raise ProofError("This version of this record is not among those deleted here.")
    return DeletionProof(
        deletion_id=claims["jti"],
        issuer=claims["iss"],
        at=datetime.fromtimestamp(claims["iat"], tz=UTC),
        catalogue_version=claims["catalogue_version"],
        deleted=claims["deleted"],
    )


def _bytes(text: str) -> bytes:
    if not HEX.fullmatch(text):
        raise ValueError("not lower-case hexadecimal")
    return bytes.fromhex(text)


def _signed_claims(statement: str, jwks: Mapping[str, Any]) -> jws.VerifiedClaims:
    try:
        head = jws.header(statement)
        if head.get("typ") != TYPE:
            raise ProofError("The statement is not of this kind.")
        key = _key(jwks, str(head.get("kid")))
        claims = jws.verify(statement, key, algorithms=ALGORITHMS)
        signed_at = datetime.fromtimestamp(claims["iat"], tz=UTC)
        in_use = parse_time(key["not_before"]) <= signed_at
        if not in_use or ("retired_at" in key and signed_at >= parse_time(key["retired_at"])):
            raise ProofError("The key was not in use when the statement says it was signed.")
    except (jws.JwsError, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, ProofError):
            raise
        raise ProofError("The signature cannot be verified.") from None
    return claims


def _key(jwks: Mapping[str, Any], kid: str) -> Mapping[str, Any]:
    for key in jwks["keys"]:
        if key.get("kid") == kid and key.get("xinqiao_use") == KEY_USE:
            found: Mapping[str, Any] = key
            return found
    raise ProofError("None of the published keys for the log has signed this.")
