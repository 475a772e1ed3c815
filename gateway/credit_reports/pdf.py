"""The PDF of a report, with the signed document attached, and signed itself to the last byte.

Its last two lines are comments to a reader of PDF: the place and the length of the attached document,
and the signature of every byte before that line::

    %xinqiao-report 2201 5120
    %xinqiao-signature response-1 6hYx…

The same report gives the same bytes as long as the same key signs.
"""

import base64
from pathlib import Path
from typing import Final

from gateway.codes.printing.pdf import Attachment, write_pdf
from gateway.codes.printing.typeface import open_typeface
from gateway.credit_reports.content import TITLE, Content
from gateway.credit_reports.pdf_layout import report_pages
from gateway.signing.keys import Signer

MEDIA_TYPE: Final = "application/pdf"


def draw_report(
    content: Content, document: bytes, *, font: Path, signer: Signer, synthetic: bool
) -> bytes:
    """Render the PDF of a signed document; takes about a second, as a Chinese font is large."""
    typeface = open_typeface(font)
    drawn = write_pdf(
        report_pages(content, typeface, synthetic=synthetic),
        typeface,
        title=f"{TITLE.zh} {content.report_id}",
        created=content.created,
        attachment=Attachment(
            name=f"{content.report_id}.json",
            media_type="application/json",
            description=f"{TITLE.zh} {TITLE.en}",
            content=document,
        ),
    )
    return _sign(drawn, document, signer)


def _sign(drawn: bytes, document: bytes, signer: Signer) -> bytes:
    place = f"%xinqiao-report {drawn.index(document)} {len(document)}\n"
    body = drawn.rstrip(b"\n") + b"\n" + place.encode()
    signature = base64.urlsafe_b64encode(signer.sign(body)).decode().rstrip("=")
    return body + f"%xinqiao-signature {signer.kid} {signature}\n".encode()
