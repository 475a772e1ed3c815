"""Signed credit reports made by hand, as JSON and in a small PDF, with the key set that verifies them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER: Final = "https://credit.example.gov.cn"
REPORT_ID: Final = "K7Q2M4X6P3R5T7V2W4Y6Z3A5B7"
USCC: Final = "91330106MA2XXXXXX0"
CREATED: Final = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
KID: Final = "response-20260101-vector00"
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RECORD: Final[dict[str, Any]] = {
    "dataset": "licence",
    "record_id": "rec_1",
    "version": 2,
    "source": {"name": "杭州市市场监督管理局", "uscc": None},
    "source_time": "2026-05-19T08:00:00+08:00",
    "catalogue_version": "2026-1",
    "use_until": "2026-06-19T10:00:00+08:00",
    "objection": None,
    "fields": {
        "number": "JY23301060000001",
        "certificate": "食品经营许可证",
        "decided_on": "2025-02-01",
        "valid_to": "2030-01-31",
    },
}

LEFT_OUT: Final[dict[str, Any]] = {
    "code": "not_published",
    "zh": "依法不予公示、中止公示、正在复议诉讼或已修复的记录不在此列。",
    "en": "Records that by law are not published, are suspended, under appeal or repaired are left out.",
    "datasets": ["penalty"],
}


def a_report(**changes: Any) -> dict[str, Any]:
    """The member `report` of a report."""
    return {
        "type": "credit_report.v1",
        "report_id": REPORT_ID,
        "issuer": ISSUER,
        "address": f"{ISSUER}/R/{REPORT_ID}",
        "enterprise": {"uscc": USCC, "name": "杭州甲餐饮有限公司"},
        "recipient": "某银行杭州分行",
        "span": {"from": "2023-05-20", "to": "2026-05-20"},
        "datasets": ["licence", "penalty"],
        "created": "2026-05-20T10:00:00+08:00",
        "as_of": "2026-05-20T10:00:00+08:00",
        "valid_until": "2026-06-19T10:00:00+08:00",
        "catalogue_version": "2026-1",
        "records": [RECORD],
        "nothing_found": ["penalty"],
        "left_out": [LEFT_OUT],
        **changes,
    }


def keys(**dates: str) -> dict[str, Any]:
    """The gateway's published key set."""
    public = KEY.public_key().public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(public), "kid": KID, "use": "sig"}
    return {"keys": [{**jwk, "alg": "EdDSA", "xinqiao_use": "response", **dates}]}


def signed(report: dict[str, Any]) -> bytes:
    """The file of a report."""
    document = {"report": report, "keyid": KID, "signature": base64url(KEY.sign(written(report)))}
    return written(document)


def in_a_pdf(document: bytes, *, kid: str = KID) -> bytes:
    """A file that holds a report as the PDF does; no reader would show it."""
    head = b"%PDF-1.7\n(words for people)\nstream\n"
    body = head + document + b"\nendstream\n%%EOF\n"
    body += f"%xinqiao-report {len(head)} {len(document)}\n".encode()
    return body + f"%xinqiao-signature {kid} {base64url(KEY.sign(body))}\n".encode()


def written(document: Any) -> bytes:
    """RFC 8785, of what a report holds."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def base64url(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
