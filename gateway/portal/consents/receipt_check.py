"""Public page behind the QR code of a printed receipt: whether it was issued here, and the status now.

The address holds a keyed digest of the consent's number and version, so only who has the receipt has it;
the page tells no more than the receipt does, and the status of today.
"""

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from consent import Consent, status_at
from consent import store as consents
from gateway.pages.page_route import NOT_FOUND, PageRoute, message_page
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime
from gateway.signing.keyed_digests import KeyedDigests

PROOF_LENGTH: Final = 32
"""Hexadecimal digits: 128 bits."""

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


def receipt_path(digests: KeyedDigests, consent: Consent) -> str:
    """The path that verifies a receipt of this version of a consent."""
    proof = _proof(digests, consent.consent_id, consent.version)
    return f"/portal/receipts/{consent.consent_id}/{consent.version}/{proof}"


@router.get("/portal/receipts/{consent_id}/{version}/{proof}")
async def check_receipt(
    request: Request, consent_id: str, version: int, proof: str, runtime: UsingRuntime
) -> Response:
    """Confirm a receipt; without sign-in."""
    expected = _proof(runtime.digests, consent_id, version)
    if not hmac.compare_digest(expected.encode(), proof.encode()):
        return message_page(request, NOT_FOUND)
    async with runtime.engine.connect() as connection:
        found = await consents.by_id(connection, consent_id)
        if found is None:
            return message_page(request, NOT_FOUND)
        card = await page_queries.enterprise_or_uscc(connection, found.uscc)
        client = await page_queries.find_client(connection, found.client_id)
    return renderer.page(
        request,
        "portal/receipt_check.html",
        address={},
        consent=found,
        enterprise=card,
        client=client,
        state=status_at(found, runtime.now()),
        is_latest=found.version == version,
        now=runtime.now(),
        labels=labels,
    )


def _proof(digests: KeyedDigests, consent_id: str, version: int) -> str:
    return digests.of("receipt", f"{consent_id} {version}").hex()[:PROOF_LENGTH]
