"""Stylesheets, read once and served under an address with their hash, cached for a year."""

import hashlib
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

router = APIRouter()

_SHEETS: Final = {
    entry.name: entry.read_bytes()
    for entry in (files("gateway.pages") / "stylesheets").iterdir()
    if entry.name.endswith(".css")
}
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


def stylesheet_url(name: str) -> str:
    """The address of a stylesheet, with a hash of its content."""
    return f"/portal/static/{name}?v={hashlib.sha256(_SHEETS[name]).hexdigest()[:12]}"


@router.get("/portal/static/{name}", include_in_schema=False)
async def stylesheet(name: str) -> Response:
    """Serve a stylesheet."""
    sheet = _SHEETS.get(name)
    if sheet is None:
        raise HTTPException(404)
    return Response(sheet, media_type="text/css; charset=utf-8", headers=_HEADERS)
