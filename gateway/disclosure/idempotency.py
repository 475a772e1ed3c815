"""Idempotency: stored answers by `Idempotency-Key`; a repeated call gets the same bytes, spends nothing.

Answers may hold personal data, so they are stored encrypted, each for its own row.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.privacy.field_encryption import Vault

# One jsonb object: the answer stored under :key for client :client_id about :uscc, or NULL.
STORED_ANSWER_JSON = """(
    SELECT jsonb_build_object(
        'request_digest', encode(i.request_digest, 'hex'), 'answer', i.answer,
        'uses_left', i.uses_left, 'at', i.at)
    FROM idempotency i
    WHERE i.uscc = CAST(:uscc AS text) AND i.client_id = CAST(:client_id AS text)
      AND i.key = CAST(:key AS text))"""

_DELETE: Final = Statement("""
    DELETE FROM idempotency AS i
    USING unnest(CAST(:usccs AS text[]), CAST(:keys AS text[])) AS gone(uscc, key)
    WHERE i.uscc = gone.uscc AND i.client_id = CAST(:client_id AS text) AND i.key = gone.key""")

KEY_LIFE_SECONDS: Final = 24 * 3600
_KEY_LIFE: Final = timedelta(seconds=KEY_LIFE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A caller's `Idempotency-Key` with the digest of the request that it stands for."""

    key: str
    request_digest: bytes


class KeyConflict(Enum):
    """Reasons why a used key gives no stored answer."""

    OTHER_REQUEST = auto()
    ANSWER_DELETED = auto()


def oldest_answer_time(now: datetime) -> datetime:
    """The time of the oldest answer that is still repeated."""
    return now - _KEY_LIFE


async def delete_answers(
    connection: AsyncConnection, client_id: str, usccs: Sequence[str], keys: Sequence[str]
) -> None:
    """Delete the stored answers to a client, each about one of these enterprises under its key."""
    values = {"usccs": usccs, "client_id": client_id, "keys": keys}
    await connection.execute(_DELETE, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer given before, and the consent uses left after it."""

    answer: bytes
    uses_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStore:
    """Encrypts and decrypts the stored answers to one client about one enterprise."""

    vault: Vault
    uscc: str
    client_id: str

    def seal(self, key: IdempotencyKey, answer: bytes) -> str:
        """The text to store for `answer`."""
        sealed = self.vault.seal(answer, **self._place(key))
        return base64.b64encode(sealed).decode()

    def find(
        self, key: IdempotencyKey | None, found: Mapping[str, Any] | None, now: datetime
    ) -> StoredAnswer | KeyConflict | None:
        """The stored answer to this request, or a conflict if the key was used for another one."""
        if key is None or found is None:
            return None
        if datetime.fromisoformat(found["at"]) < oldest_answer_time(now):
            return None
        if not hmac.compare_digest(found["request_digest"], key.request_digest.hex()):
            return KeyConflict.OTHER_REQUEST
        if not found["answer"]:
            return KeyConflict.ANSWER_DELETED
        opened = self.vault.open(base64.b64decode(found["answer"]), **self._place(key))
        return StoredAnswer(answer=opened, uses_left=found["uses_left"])

    def _place(self, key: IdempotencyKey) -> dict[str, str]:
        row = f"{self.uscc} {self.client_id} {key.key}"
        return {"table": "idempotency", "column": "answer", "row": row}
