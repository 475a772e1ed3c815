"""Signed requests, kept with what they were answered: a client cannot deny that it asked (decision 0073).

Of a body the digest alone is kept. It can be guessed where the body holds little that is unknown, so that
all of it is encrypted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NewType

import orjson

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.privacy.field_encryption import Vault
from gateway.signing.jwk import PUBLIC_MEMBERS, Jwk
from gateway.signing.request_signatures import RequestSignature, SignedParts

SignedRequestText = NewType("SignedRequestText", bytes)
"""A signed request as JSON: what was covered, both fields, and the key that verified it."""

TABLE: Final = "signed_request"
WITHOUT_ENTERPRISE: Final = ""
"""In the place of the USCC, of a batch or a job about many."""
CREATED: Final = "create"
STARTED: Final = "start"
_KEEP: Final = Statement("""
    INSERT INTO signed_request (uscc, subject_id, client_id, request, at)
    VALUES (CAST(:uscc AS text), CAST(:subject_id AS text), CAST(:client_id AS text),
            CAST(:request AS bytea), CAST(:at AS timestamptz))
    ON CONFLICT (uscc, subject_id) DO UPDATE SET request = excluded.request, at = excluded.at""")
_DROP: Final = Statement("""
    DELETE FROM signed_request
    WHERE uscc = CAST(:uscc AS text) AND subject_id = CAST(:subject_id AS text)""")
_READ: Final = Statement("""
    SELECT uscc, client_id, request, at FROM signed_request
    WHERE subject_id = CAST(:subject_id AS text)""")


def signed_request_text(
    signature: RequestSignature, parts: SignedParts, key: Jwk
) -> SignedRequestText:
    """A verified signature with all that is needed to verify it again."""
    content = dict(zip(("content_type", "content_digest"), parts.content or (), strict=False))
    document = {
        "method": parts.method,
        "target_uri": parts.target_uri,
        **content,
        "signature_input": f"{signature.label}={signature.input}",
        "signature": f"{signature.label}={signature.value}",
        "key": {name: key[name] for name in PUBLIC_MEMBERS[key["kty"]]} | {"kid": signature.keyid},
    }
    return SignedRequestText(orjson.dumps(document))


def part_of(subject_id: str, part: str) -> str:
    """The subject of a further request about a subject: `JOB.create`, `DISCLOSURE.outcome1`.

    A job's own id is the subject of its lines.
    """
    return f"{subject_id}.{part}"


async def keep_request(
    hot: HotDatabase,
    vault: Vault,
    request: SignedRequestText,
    *,
    client_id: str,
    uscc: str,
    subject_id: str,
    now: datetime,
) -> None:
    """Keep a request with the disclosure, batch or job that it is about to be answered with."""
    sealed = vault.seal(request, table=TABLE, column="request", row=_row(uscc, subject_id))
    values = {"uscc": uscc, "subject_id": subject_id, "client_id": client_id, "at": now}
    await hot.row(_KEEP, values | {"request": sealed})


async def drop_request(hot: HotDatabase, *, uscc: str, subject_id: str) -> None:
    """Drop the request of an answer that was not committed."""
    await hot.row(_DROP, {"uscc": uscc, "subject_id": subject_id})


async def kept_request(hot: HotDatabase, vault: Vault, subject_id: str) -> Mapping[str, Any] | None:
    """The request of this disclosure, batch or job, if it was signed."""
    row = await hot.row(_READ, {"subject_id": subject_id})
    if row is None:
        return None
    place = _row(row["uscc"], subject_id)
    text = vault.open(row["request"], table=TABLE, column="request", row=place)
    told = {"client_id": row["client_id"], "at": row["at"].isoformat()}
    return {**told, **orjson.loads(text)}


def _row(uscc: str, subject_id: str) -> str:
    return f"{uscc}/{subject_id}"
