"""The alert of an anomaly: a signed webhook to the operator's own address (Standard Webhooks).

It says which client, what kind, the counts and the day; never an enterprise. A repeated alert has the
same `webhook-id`.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

import orjson
from sqlalchemy import RowMapping

from gateway.creditfile.local_dates import SHANGHAI
from gateway.safe_fetch import FetchRoute, send

ACCEPTED: Final = frozenset({200, 201, 202, 204})
_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = range(24, 65)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHook:
    """Address of alerts, and the key that signs them."""

    url: str
    key: bytes = field(repr=False)
    loopback: bool = False
    route: FetchRoute = field(default_factory=FetchRoute)

    @classmethod
    def parse(cls, url: str, secret: str, *, loopback: bool) -> Self:
        """The hook with a secret as `whsec_` and base64; raises `ValueError`."""
        return cls(url=url, key=parse_secret(secret), loopback=loopback)

    async def send(self, anomaly: RowMapping, *, now: datetime) -> None:
        """Post the alert of a row of `anomaly`; raises `UnfetchableError` unless it is accepted."""
        body = alert_body(anomaly)
        headers = {
            "Content-Type": "application/json",
            **signed_headers(self.key, anomaly["anomaly_id"], int(now.timestamp()), body),
        }
        await send(
            "POST",
            self.url,
            body,
            headers,
            accepted=ACCEPTED,
            loopback=self.loopback,
            private=True,
            route=self.route,
        )


def alert_body(anomaly: RowMapping) -> bytes:
    """The JSON of an alert."""
    until = anomaly["throttled_until"]
    return orjson.dumps(
        {
            "type": "anomaly.flagged",
            "timestamp": _local(anomaly["first_at"]),
            "data": {
                "anomaly_id": anomaly["anomaly_id"],
                "client_id": anomaly["client_id"],
                "kind": anomaly["kind"],
                "day": anomaly["day"].isoformat(),
                "counts": anomaly["counts"],
                "throttled_until": _local(until) if until else None,
            },
        }
    )


def parse_secret(text: str) -> bytes:
    """The key in a secret as `whsec_` and the base64 of 24 to 64 bytes; raises `ValueError`."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(_PREFIX) or len(key) not in _SECRET_BYTES:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
    return key


def signed_headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: HMAC-SHA256 over id, time and body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _local(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
