"""Verification step of the demo's tour, run against a served gateway."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gateway.synthetic.tour.context import TourContext
from gateway.synthetic.tour.verification_steps import verifications
from tests.gateway_fixture import GatewayFixture
from tests.sdk_builders import client_of
from xinqiao import AsyncClient

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_verification_step_finds_what_it_expects(
    served: GatewayFixture, tmp_path: Path
) -> None:
    """It raises where an answer differs, and prints every question and value."""
    printed = StringIO()
    async with client_of(await served.client("platform"), AsyncClient) as platform:
        context = TourContext(
            kit=served.kit,
            folder=tmp_path,
            console=Console(file=printed, width=200),
            bank=platform,
            platform=platform,
            department=platform,
        )
        await verifications(context)
    subject = context.subject("clean")
    assert "three_elements.v1" in printed.getvalue()
    assert subject["name"] in printed.getvalue()
