"""Whoever changes one word of an answer is found out."""

from dataclasses import replace

import httpx2

from gateway.synthetic.tour.context import BY_PLATFORM, TourContext, TourFailedError
from xinqiao import AsyncClient, KeySet, verify_evidence
from xinqiao.errors import EvidenceInvalid, SignatureInvalid


async def tampering(stage: TourContext) -> None:
    """Whoever changes one word of an answer is found out: on the way, and in the file."""
    subject = stage.subject("clean")
    async with AsyncClient.from_kit(stage.kit, "platform", transport=Forger()) as deceived:
        try:
            await deceived.verify(subject["uscc"], purpose=BY_PLATFORM, questions=["is_active.v1"])
        except SignatureInvalid as refused:
            stage.say(f"one word changed on the way: [red]refused[/] — {refused}")
        else:
            raise TourFailedError("A tampered answer passed.")
    if stage.evidence is None:
        raise TourFailedError("There is no evidence.")
    keys = KeySet.read({"keys": [dict(stage.evidence.key)]})
    kept = verify_evidence(stage.evidence, keys=keys)
    stage.say(
        f"the kept evidence, offline: [green]authentic[/] as of {kept.signed_at:%Y-%m-%d %H:%M:%S}Z"
    )
    exchange = stage.evidence.exchange
    forged = replace(exchange, response_body=exchange.response_body.replace(b'"uscc"', b'"code"'))
    try:
        verify_evidence(replace(stage.evidence, exchange=forged), keys=keys)
    except EvidenceInvalid as refused:
        stage.say(f"one word changed in the file: [red]refused[/] — {refused}")
    else:
        raise TourFailedError("Tampered evidence passed.")


class Forger(httpx2.AsyncBaseTransport):
    """Somebody between the client and the gateway, who turns each yes into a no."""

    def __init__(self) -> None:
        self._wire = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass the request on, and a changed answer back."""
        answer = await self._wire.handle_async_request(request)
        body = (await answer.aread()).replace(b'"yes"', b'"no" ')
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

    async def aclose(self) -> None:
        """Let go of the wire."""
        await self._wire.aclose()
