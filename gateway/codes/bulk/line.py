"""Line of the NDJSON file that a bulk issue writes and a printer reads: one code, one sticker."""

from typing import TypedDict

import orjson

from gateway.access.serializers.timestamps import format_time
from gateway.codes.ids import code_url
from gateway.codes.model import Code


class BulkLine(TypedDict):
    """One code as a printer needs it; every member is present, in this order."""

    code_id: str
    address: str
    """The text of the QR symbol."""
    uscc: str
    name: str
    """The registered name, to be printed."""
    division: str
    sign_name: str
    label: str
    check_phrase: str
    issued_at: str
    expires_at: str | None
    batch_id: str | None


def bulk_line(code: Code, issuer: str) -> bytes:
    """The line of one code, with its line feed."""
    line = BulkLine(
        code_id=code.code_id,
        address=code_url(issuer, code.code_id),
        uscc=code.uscc,
        name=code.printed_name or code.sign_name,
        division=code.printed_division or "",
        sign_name=code.sign_name,
        label=code.label,
        check_phrase=code.check_phrase,
        issued_at=format_time(code.issued_at),
        expires_at=format_time(code.expires_at) if code.expires_at else None,
        batch_id=code.batch_id,
    )
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
