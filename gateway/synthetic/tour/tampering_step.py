"""Tour step: the SDK refuses a tampered answer and tampered evidence."""

from dataclasses import replace

import httpx2

from gateway.pages.rendering import format_moment
from gateway.synthetic.tour.context import BY_PLATFORM, TourContext, TourFailedError
from xinqiao import AsyncClient, KeySet, verify_evidence
from xinqiao.errors import EvidenceInvalid, SignatureInvalid


async def tampering(context: TourContext) -> None:
    """Tamper with an answer in transit and with stored evidence; both are refused."""
    subject = context.subject("clean")
    async with AsyncClient.from_kit(context.kit, "platform", transport=Forger()) as deceived:
        try:
            await deceived.verify(subject["uscc"], purpose=BY_PLATFORM, questions=["is_active.v1"])
        except SignatureInvalid as refused:
            context.print_line(f"one word changed on the way: [red]refused[/] — {refused}")
        else:
            raise TourFailedError("A tampered answer passed.")
    if context.evidence is None:
        raise TourFailedError("There is no evidence.")
    keys = KeySet.read({"keys": [dict(context.evidence.key)]})
    verified = verify_evidence(context.evidence, keys=keys)
    context.print_line(
        f"the kept evidence, offline: [green]authentic[/] as of {format_moment(verified.signed_at)}"
    )
    exchange = context.evidence.exchange
    forged = replace(exchange, response_body=exchange.response_body.replace(b'"uscc"', b'"code"'))
    try:
        verify_evidence(replace(context.evidence, exchange=forged), keys=keys)
    except EvidenceInvalid as refused:
        context.print_line(f"one word changed in the file: [red]refused[/] — {refused}")
    else:
        raise TourFailedError("Tampered evidence passed.")


class Forger(httpx2.AsyncBaseTransport):
    """HTTP transport that turns each yes in an answer into a no."""

    def __init__(self) -> None:
        self._transport = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Forward the request and tamper with the answer."""
        answer = await self._transport.handle_async_request(request)
        body = (await answer.aread()).replace(b'"yes"', b'"no" ')
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()
