"""Redirect URI of the demo clients: a page that explains the authorization response."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.pages.i18n import Translated
from gateway.pages.rendering import PageRenderer

router = APIRouter(include_in_schema=False)
renderer: Final = PageRenderer("gateway.pages")

GRANTED: Final = (
    Translated("已返回示例接入方", "Back at the demo client"),
    Translated(
        "示例接入方已收到授权码，接下来会用它换取令牌。您可以关闭本页，或回到企业门户查看授权。",
        "The demo client has received an authorization code and would now exchange it for a token. "
        "You may close this page, or look at the consent in the portal.",
    ),
)
REFUSED: Final = (
    Translated("未获授权", "No consent"),
    Translated(
        "示例接入方只得知本次未获授权，没有得到任何信息。",
        "The demo client was told only that there is no consent, and nothing else.",
    ),
)
PORTAL: Final = ("/portal", Translated("打开企业门户", "Open the portal"))


@router.get("/demo/callback")
async def show_callback(request: Request) -> HTMLResponse:
    """Show the authorization response; the code stays in the address, to be copied."""
    title, sentence = REFUSED if "error" in request.query_params else GRANTED
    return renderer.error_page(request, status=200, title=title, sentence=sentence, onward=PORTAL)
