"""Redirect URI of the demo clients: a page that explains the authorization response."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageMessage, message_page

router = APIRouter(include_in_schema=False)
PORTAL: Final = ("/portal", Translated("打开企业门户", "Open the portal"))
GRANTED: Final = PageMessage(
    200,
    Translated("已返回示例接入方", "Back at the demo client"),
    Translated(
        "授权码在本页网址中，接入方用它换取令牌。如是您自己的程序发起的，请把本页网址交给它；"
        "也可以关闭本页，或回到企业门户查看授权。",
        "The authorization code is in this page's address; a client exchanges it for a token. If your own "
        "program began this, give it the address. Or close this page, or look at the consent in the portal.",
    ),
    PORTAL,
)
REFUSED: Final = PageMessage(
    200,
    Translated("未获授权", "No consent"),
    Translated(
        "示例接入方只得知本次未获授权，没有得到任何信息。",
        "The demo client was told only that there is no consent, and nothing else.",
    ),
    PORTAL,
)


@router.get("/demo/callback")
async def show_callback(request: Request) -> HTMLResponse:
    """Show the authorization response; the code stays in the address, to be copied."""
    message = REFUSED if "error" in request.query_params else GRANTED
    return message_page(request, message)
