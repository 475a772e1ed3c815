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
    Translated("授权已完成，正在返回银行", "Consent completed; returning to the bank"),
    Translated(
        "您可以关闭本页，或者到企业门户查看授权。"
        "（开发者：授权码在本页网址中，程序用它换取令牌。）",
        "You can close this page, or view the consent in the portal. (Developers: the authorization code "
        "is in this page's address; a program exchanges it for a token.)",
    ),
    PORTAL,
)
REFUSED: Final = PageMessage(
    200,
    Translated("未获授权", "No consent"),
    Translated(
        "银行只得知本次未获授权，没有得到任何信息。",
        "The bank learns only that there is no consent, and receives no information.",
    ),
    PORTAL,
)


@router.get("/demo/callback")
async def show_callback(request: Request) -> HTMLResponse:
    """Show the authorization response; the code stays in the address, to be copied."""
    message = REFUSED if "error" in request.query_params else GRANTED
    return message_page(request, message)
