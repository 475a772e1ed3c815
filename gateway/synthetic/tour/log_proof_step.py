"""Tour step: the consent record is verified against the transparency log."""

import asyncio
from typing import Final

import httpx2

from gateway.synthetic.tour.context import TourContext, require
from xinqiao import ConsentRecord, verify_consent_record

MAX_POLLS: Final = 20  # half a second apart: the log merges within ten seconds


async def proof(context: TourContext) -> None:
    """Verify the bank's copy of the consent record: each event is a leaf of the log."""
    async with httpx2.AsyncClient(base_url=context.bank.issuer) as anybody:
        keys = (await anybody.get("/.well-known/jwks.json")).raise_for_status().json()
    verified = await _verified(context, keys)
    for _ in range(MAX_POLLS):
        if not verified.unproven:
            break
        await asyncio.sleep(0.5)
        verified = await _verified(context, keys)
    acts = [event["xq:act"] for event in verified.record["xq:events"]]
    require(not verified.unproven, "the log lacks an event of the consent")
    require(acts == ["requested", "granted", "withdrawn"], "other things happened to the consent")
    context.print_line(f"{' → '.join(acts)}: each a leaf of the log, [green]proven[/]")
    context.print_line("the bank's copy does so without naming who acted for the enterprise")


async def _verified(context: TourContext, keys: dict[str, object]) -> ConsentRecord:
    path = f"/v1/consents/{context.granted.consent_id}/record"
    answer = await context.bank.request("GET", path, scope="consents")
    context.count_signed(answer)
    return verify_consent_record(answer, keys=keys)
