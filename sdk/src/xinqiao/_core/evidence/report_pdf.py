"""The PDF of a credit report: its last two lines say where the report is attached, and sign the file.

::

    %xinqiao-report 2201 5120
    %xinqiao-signature response-1 6hYx…

The first gives the place and the length of the attached JSON in bytes, the second the key and, in
base64url, the Ed25519 signature of every byte before it. To a reader of PDF both are comments.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.exceptions import InvalidSignature

from xinqiao._core.signatures.keys import KeySet, ResponseKey
from xinqiao._core.wire.strict import MAX_SIZE, parse_base64url
from xinqiao.errors import EvidenceInvalid

PDF: Final = b"%PDF-"
_END: Final = re.compile(
    rb"%xinqiao-report (?P<start>[1-9][0-9]{0,8}) (?P<length>[1-9][0-9]{0,8})\n"
    rb"(?P<line>%xinqiao-signature (?P<kid>[!-~]{1,200}) (?P<signature>[A-Za-z0-9_-]{86})\n)\Z"
)
#: Bytes in which both lines fit.
_LONGEST_END: Final = 400
_CHANGED: Final = (
    "The PDF is not byte for byte what the gateway issued: a reader may have saved it anew. "
    "Take the original, or the report's JSON."
)


def read_signed_pdf(data: bytes, keys: KeySet) -> tuple[bytes, ResponseKey]:
    """The JSON attached to a PDF, of which every byte is as the gateway signed it, and the key that did."""
    end = _END.search(data, max(0, len(data) - _LONGEST_END)) if len(data) <= MAX_SIZE else None
    if end is None:
        raise EvidenceInvalid(
            "The PDF has no signature of the gateway at its end: it is no credit report, or was saved anew.",
            reason="missing",
        )
    kid = end["kid"].decode("ascii")
    key = keys.get(kid)
    if key is None:
        raise EvidenceInvalid(f"The key {kid} is not among the trusted keys.", reason="key")
    try:
        key.public.verify(
            parse_base64url(end["signature"].decode("ascii")), data[: end.start("line")]
        )
    except (InvalidSignature, ValueError):
        raise EvidenceInvalid(_CHANGED, reason="digest") from None
    start = int(end["start"])
    return data[start : start + int(end["length"])], key
