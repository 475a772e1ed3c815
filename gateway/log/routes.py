"""Routes of the transparency log: checkpoint, tiles and entries (C2SP tlog-tiles), events, receipts.

The log is public and holds salted hashes only. A receipt is for the client of its disclosure or consent.
"""

import re
from typing import Any

from fastapi import Request, Response

from gateway.access.admission_control import admit
from gateway.access.authentication import authenticate
from gateway.access.client_status import current_agreement
from gateway.access.consent_binding import require_live_consent
from gateway.access.errors import NotFoundError, raise_if_refused
from gateway.access.http.json_response import json_response
from gateway.access.serializers.receipt import ReceiptOut
from gateway.disclosure.consent_leaf import consent_of_leaf
from gateway.log.reading import published_checkpoint, read_event, read_events, read_evidence
from gateway.log.schemas import EventsOut
from gateway.log.tile_paths import Tile, level_of, tile_of
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime
from gateway.transparency.disclosure_leaf import MERGE_SECONDS
from gateway.transparency.merkle import HASH_BYTES
from gateway.transparency.receipts import Receipt, receipt_for
from gateway.transparency.tiles import BITS, Run
from gateway.transparency.tree_store import read_entries, read_rows

router = PrefixRouter(tags=["log"])

DISCLOSURE_SCOPES = ("verify", "query")
CONSENT_SCOPE = "consents"
DISCLOSURE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
IMMUTABLE = "public, max-age=31536000, immutable"
ONE_HOUR = "public, max-age=3600"  # until a fuller tile takes its place
RETRY_SECONDS = 1
NOTE = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
ENTRY_LENGTH = HASH_BYTES.to_bytes(2, "big")


def _content(media_type: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI response of text or octets."""
    told = (
        "A signed note." if media_type == "text/plain" else "Octets, as C2SP tlog-tiles has them."
    )
    content = {media_type: {"schema": {"type": "string"}}}
    return {200: {"description": told, "content": content}}


@router.get("/log/checkpoint", response_class=Response, responses=_content("text/plain"))
async def get_log_checkpoint(runtime: UsingRuntime) -> Response:
    """The newest signed tree head."""
    newest = await published_checkpoint(runtime.hot)
    if newest is None:
        raise NotFoundError("The log has not begun yet.", retry_after=RETRY_SECONDS)
    return Response(newest.note, media_type=NOTE, headers={"Cache-Control": "no-store"})


@router.get(
    "/log/tile/entries/{path:path}",
    response_class=Response,
    responses=_content(OCTETS),
    name="get_log_tile_entries",
)
@router.get("/log/entries/{path:path}", response_class=Response, responses=_content(OCTETS))
async def get_log_entries(path: str, runtime: UsingRuntime) -> Response:
    """Up to 256 entries (salted hashes), each after its length in two bytes."""
    tile = _tile(path)
    await _demand_published(runtime, 0, tile)
    found = await read_entries(runtime.hot, tile.begin, tile.end)
    _demand_whole(tile, found)
    starts = range(0, len(found), HASH_BYTES)
    return _static(tile, b"".join(ENTRY_LENGTH + found[n : n + HASH_BYTES] for n in starts))


@router.get("/log/tile/{level}/{path:path}", response_class=Response, responses=_content(OCTETS))
async def get_log_tile(level: str, path: str, runtime: UsingRuntime) -> Response:
    """Up to 256 hashes of one level of the tree."""
    number, tile = level_of(level), _tile(path)
    if number is None:
        raise NotFoundError
    await _demand_published(runtime, number, tile)
    [found] = await read_rows(runtime.hot, [Run(number, tile.begin, tile.end)])
    _demand_whole(tile, found)
    return _static(tile, found)


@router.get("/log/events", response_model=EventsOut)
async def list_log_events(runtime: UsingRuntime) -> Response:
    """List the public events of the signing keys, with the salt of each leaf."""
    return json_response(
        {"log": f"{runtime.settings.issuer}/log", "events": await read_events(runtime.hot)}
    )


@router.get("/log/events/{event_id}", response_model=ReceiptOut)
async def get_log_event(event_id: str, runtime: UsingRuntime) -> Response:
    """Give the receipt of a public event; `disclosure_id` is the event's id."""
    merged = await read_event(runtime.hot, event_id) if _is_id(event_id) else None
    if merged is None:
        raise NotFoundError("The log holds no such event yet.", retry_after=RETRY_SECONDS)
    made = await receipt_for(runtime.hot, *merged)
    return _receipt(runtime, made, event_id)


@router.get("/v1/receipts/{disclosure_id}", response_model=ReceiptOut)
async def get_receipt(disclosure_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """Give the receipt of one of the caller's own disclosures, or of an event of its consent."""
    scope = CONSENT_SCOPE if consent_of_leaf(disclosure_id) else DISCLOSURE_SCOPES
    caller = await authenticate(request, runtime, scope=scope)
    await admit(request, runtime, caller, uscc=None, key=None)
    if not _is_id(disclosure_id):
        raise _no_receipt()
    found = await read_evidence(runtime.hot, caller, disclosure_id)
    raise_if_refused(current_agreement(found.client_status, caller, runtime.now()))
    await require_live_consent(runtime, caller)
    if found.merged is None:
        raise _no_receipt()
    made = await receipt_for(runtime.hot, *found.merged)
    return _receipt(runtime, made, disclosure_id)


def _is_id(text: str) -> bool:
    return DISCLOSURE_ID.fullmatch(text) is not None


def _receipt(runtime: Runtime, receipt: Receipt, leaf_id: str) -> Response:
    log = f"{runtime.settings.issuer}/log"
    return json_response(ReceiptOut.of(receipt, disclosure_id=leaf_id, log=log))


def _no_receipt() -> NotFoundError:
    """The same answer for pending, unknown and other clients' leaves."""
    return NotFoundError(
        "The log holds no such disclosure or event of yours. A fresh one is merged within "
        f"{MERGE_SECONDS} seconds: ask again in {RETRY_SECONDS} s.",
        retry_after=RETRY_SECONDS,
    )


def _tile(path: str) -> Tile:
    tile = tile_of(path)
    if tile is None:
        raise NotFoundError
    return tile


async def _demand_published(runtime: Runtime, level: int, tile: Tile) -> None:
    """Refuse a tile that no published checkpoint covers: caches keep tiles for ever."""
    newest = await published_checkpoint(runtime.hot)
    if newest is None or newest.size >> BITS * level < tile.end:
        raise NotFoundError


def _demand_whole(tile: Tile, found: bytes) -> None:
    """Refuse a tile that the tree does not fill."""
    if len(found) != tile.width * HASH_BYTES:
        raise NotFoundError


def _static(tile: Tile, content: bytes) -> Response:
    return Response(
        content,
        media_type=OCTETS,
        headers={"Cache-Control": IMMUTABLE if tile.is_full else ONE_HOUR},
    )
