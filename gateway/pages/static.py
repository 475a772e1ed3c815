"""Stylesheets, read once and served under an address with their hash, cached for a year."""

import hashlib
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.content_coding import Coding
from gateway.pages.representation import Representation

router = APIRouter()

_SHEETS: Final = {
    entry.name: entry.read_bytes()
    for entry in (files("gateway.pages") / "stylesheets").iterdir()
    if entry.name.endswith(".css")
}
_HEADERS: Final = {
    b"content-type": b"text/css; charset=utf-8",
    b"cache-control": b"public, max-age=31536000, immutable",
    b"vary": b"Accept-Encoding",
    b"x-content-type-options": b"nosniff",
}
_PAGES: Final = {name: Representation(sheet, _HEADERS) for name, sheet in _SHEETS.items()}
_URLS: Final = {
    name: f"/portal/static/{name}?v={hashlib.sha256(sheet).hexdigest()[:12]}"
    for name, sheet in _SHEETS.items()
}


def stylesheet_url(name: str) -> str:
    """The address of a stylesheet, with a hash of its content."""
    return _URLS[name]


def stylesheet_bytes(name: str, coding: Coding) -> bytes:
    """A stylesheet as it is sent in this coding."""
    return _PAGES[name].coded(coding)


@router.get("/portal/static/{name}", include_in_schema=False)
async def stylesheet(request: Request, name: str) -> Response:
    """Serve a stylesheet."""
    sheet = _PAGES.get(name)
    if sheet is None:
        raise HTTPException(404)
    return sheet.response(request)
