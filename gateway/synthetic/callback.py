"""Where the demo's clients are sent back to: a page that says what a bank would do now."""

from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>示例接入方 · Demo client</title>
<h1>{title}</h1><p>{text}</p>
<p lang="en">{english}</p>"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@router.get("/demo/callback")
async def callback(request: Request) -> HTMLResponse:
    """Show what came back. The code stays in the address: whoever plays the bank takes it there."""
    error = request.query_params.get("error")
    if error:
        page = PAGE.format(
            title="未获授权 No consent",
            text=f"示例接入方收到：{escape(error)}。",
            english="The demo client was told that the enterprise did not consent.",
        )
    else:
        page = PAGE.format(
            title="已返回示例接入方 Back at the demo client",
            text="示例接入方已收到授权码，可关闭本页。",
            english="The demo client received an authorization code; you may close this page.",
        )
    return HTMLResponse(page, headers=HEADERS)
