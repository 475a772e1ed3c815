"""What was done to a consent is held against the public log, by whoever holds its record."""

import asyncio
from typing import Final

import httpx2

from gateway.synthetic.tour.context import TourContext, require
from xinqiao import ConsentRecord, verify_consent_record

MAX_POLLS: Final = 20  # looks, half a second apart: the log merges within ten seconds


async def proof(stage: TourContext) -> None:
    """The bank's copy of the record: each event a leaf, the person unnamed."""
    async with httpx2.AsyncClient(base_url=stage.bank.issuer) as anybody:
        keys = (await anybody.get("/.well-known/jwks.json")).raise_for_status().json()
    verified = await _verified(stage, keys)
    for _ in range(MAX_POLLS):
        if not verified.unproven:
            break
        await asyncio.sleep(0.5)
        verified = await _verified(stage, keys)
    acts = [event["xq:act"] for event in verified.record["xq:events"]]
    require(not verified.unproven, "the log lacks an event of the consent")
    require(acts == ["requested", "granted", "withdrawn"], "other things happened to the consent")
    stage.say(f"{' → '.join(acts)}: each a leaf of the log, [green]proven[/]")
    stage.say("the bank's copy does so without naming who acted for the enterprise")


async def _verified(stage: TourContext, keys: dict[str, object]) -> ConsentRecord:
    path = f"/v1/consents/{stage.held.consent_id}/record"
    answer = await stage.bank.request("GET", path, scope="consents")
    stage.saw(answer)
    return verify_consent_record(answer, keys=keys)
