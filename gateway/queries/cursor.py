"""Page cursors of queries, authenticated (HMAC) and bound to client, consent and query."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime

import orjson

CURSOR_LIFE_SECONDS = 15 * 60
MAC_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The position after which the next page begins."""

    client_id: str
    consent_id: str
    ask: str
    after: tuple[int, str]
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursors:
    """Writes and reads the cursors of one client at one moment."""

    key: bytes
    client_id: str
    now: datetime

    def write(self, *, consent_id: str, query_digest: str, position: tuple[int, str]) -> str:
        """The text of a new cursor."""
        cursor = Cursor(
            client_id=self.client_id,
            consent_id=consent_id,
            ask=query_digest,
            after=position,
            expires_at=int(self.now.timestamp()) + CURSOR_LIFE_SECONDS,
        )
        body = orjson.dumps(cursor)
        return base64.urlsafe_b64encode(self._mac(body) + body).decode().rstrip("=")

    def read(self, text: str) -> Cursor | None:
        """The cursor in `text`, if it is authentic, this client's and not expired."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        found = orjson.loads(body)
        cursor = Cursor(**{**found, "after": tuple(found["after"])})
        fresh = cursor.expires_at > self.now.timestamp()
        return cursor if fresh and cursor.client_id == self.client_id else None

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.key, body, "sha256")
