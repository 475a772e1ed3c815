"""The log is public and says nothing of anybody: salted hashes, and a signature over them.

Checkpoint, tiles and entries are static resources as c2sp.org/tlog-tiles has them; a receipt is
for the client to which its disclosure was made, or whose consent it concerns.
"""

import re

from fastapi import APIRouter, Request, Response

from gateway.access.admission_control import admit
from gateway.access.authentication import authenticate
from gateway.access.client_status import agreement_of
from gateway.access.consent_binding import demand_consent
from gateway.access.errors import GatewayError, NotFoundError
from gateway.db.engine import to_json
from gateway.disclosure.consent_leaf import consent_in
from gateway.log.reading import event, events, published, read
from gateway.log.schemas import EventsOut, ReceiptOut
from gateway.log.tile_paths import Tile, level_of, tile_of
from gateway.runtime import Runtime, UsingRuntime
from gateway.transparency.log_leaf import MERGE_SECONDS
from gateway.transparency.merkle import HASH_BYTES
from gateway.transparency.receipts import Receipt, receipt_for
from gateway.transparency.tiles import BITS, Run
from gateway.transparency.tree_store import entries_of, rows_of

router = APIRouter(tags=["log"])

SCOPES = ("verify", "query")
OF_CONSENTS = "consents"
DISCLOSURE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_WHILE = "public, max-age=3600"  # true for ever, but a fuller tile will take its place
RETRY_SECONDS = 1
ENTRY_LENGTH = HASH_BYTES.to_bytes(2, "big")


@router.get("/log/checkpoint", response_class=Response)
async def checkpoint(runtime: UsingRuntime) -> Response:
    """The newest signed tree head."""
    newest = await published(runtime.hot)
    if newest is None:
        raise NotFoundError("The log has not begun yet.", retry_after=RETRY_SECONDS)
    return Response(
        newest.note,
        media_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


@router.get("/log/tile/entries/{path:path}", response_class=Response)
@router.get("/log/entries/{path:path}", response_class=Response)
async def entries(path: str, runtime: UsingRuntime) -> Response:
    """Up to 256 entries (salted hashes), each after its length in two bytes."""
    tile = _tile(path)
    await _demand_published(runtime, 0, tile)
    found = await entries_of(runtime.hot, tile.begin, tile.end)
    _demand_whole(tile, found)
    places = range(0, len(found), HASH_BYTES)
    return _static(tile, b"".join(ENTRY_LENGTH + found[at : at + HASH_BYTES] for at in places))


@router.get("/log/tile/{level}/{path:path}", response_class=Response)
async def tile_hashes(level: str, path: str, runtime: UsingRuntime) -> Response:
    """Up to 256 hashes of one level of the tree."""
    number, tile = level_of(level), _tile(path)
    if number is None:
        raise NotFoundError
    await _demand_published(runtime, number, tile)
    [found] = await rows_of(runtime.hot, [Run(number, tile.begin, tile.end)])
    _demand_whole(tile, found)
    return _static(tile, found)


@router.get("/log/events", response_model=EventsOut)
async def public_events(runtime: UsingRuntime) -> Response:
    """What the log says in public: each event of a signing key, with the salt of its leaf."""
    told = {"log": f"{runtime.settings.issuer}/log", "events": await events(runtime.hot)}
    return Response(
        to_json(told),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@router.get("/log/events/{event_id}", response_model=ReceiptOut)
async def event_receipt(event_id: str, runtime: UsingRuntime) -> Response:
    """That a public event is in the log; `disclosure_id` is the event's id."""
    merged = await event(runtime.hot, event_id) if _is_id(event_id) else None
    if merged is None:
        raise NotFoundError("The log holds no such event yet.", retry_after=RETRY_SECONDS)
    made = await receipt_for(runtime.hot, *merged)
    return _receipt(runtime, made, event_id)


@router.get("/v1/receipts/{disclosure_id}", response_model=ReceiptOut)
async def receipt(disclosure_id: str, request: Request, runtime: UsingRuntime) -> Response:
    """That one of the caller's own disclosures, or an event of its consent, is in the log."""
    scope = OF_CONSENTS if consent_in(disclosure_id) else SCOPES
    caller = await authenticate(request, runtime, scope=scope)
    await admit(request, runtime, caller, uscc=None, key=None)
    if not _is_id(disclosure_id):
        raise _no_receipt()
    found = await read(runtime.hot, caller, disclosure_id)
    agreement = agreement_of(found.standing, runtime.now())
    if isinstance(agreement, GatewayError):
        raise agreement
    await demand_consent(runtime, caller)
    if found.merged is None:
        raise _no_receipt()
    made = await receipt_for(runtime.hot, *found.merged)
    return _receipt(runtime, made, disclosure_id)


def _is_id(text: str) -> bool:
    return DISCLOSURE_ID.fullmatch(text) is not None


def _receipt(runtime: Runtime, made: Receipt, of: str) -> Response:
    told = ReceiptOut.of(made, disclosure_id=of, log=f"{runtime.settings.issuer}/log")
    return Response(
        told.model_dump_json(),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _no_receipt() -> NotFoundError:
    """One answer for pending, unknown and somebody else's."""
    return NotFoundError(
        "The log holds no such disclosure or event of yours. A fresh one is merged within "
        f"{MERGE_SECONDS} seconds: ask again.",
        retry_after=RETRY_SECONDS,
    )


def _tile(path: str) -> Tile:
    tile = tile_of(path)
    if tile is None:
        raise NotFoundError
    return tile


async def _demand_published(runtime: Runtime, level: int, tile: Tile) -> None:
    """Caches keep tiles for ever: so none is served before a checkpoint over it is published."""
    newest = await published(runtime.hot)
    if newest is None or newest.size >> BITS * level < tile.end:
        raise NotFoundError


def _demand_whole(tile: Tile, found: bytes) -> None:
    """A tile is served when the tree has all of it, or not at all."""
    if len(found) != tile.width * HASH_BYTES:
        raise NotFoundError


def _static(tile: Tile, content: bytes) -> Response:
    lasting = FOR_EVER if tile.is_full else FOR_A_WHILE
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"Cache-Control": lasting},
    )
