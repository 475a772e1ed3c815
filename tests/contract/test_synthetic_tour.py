"""Verification step of the demo's tour, run against a served gateway."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gateway.synthetic.tour import tour
from gateway.synthetic.tour.context import TourContext, TourFailedError
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


async def test_a_step_that_is_refused_ends_the_tour_in_a_sentence(
    served: GatewayFixture, tmp_path: Path
) -> None:
    """As where a province was built by a release whose agreements cover less."""
    clients = served.kit["clients"]
    stranger = {**clients["bank"], "client_id": "demo-stranger"}
    kit = {**served.kit, "clients": {**clients, "bank": stranger}}
    with pytest.raises(TourFailedError, match="invalid_client"):
        await tour(kit, tmp_path, Console(file=StringIO()))
