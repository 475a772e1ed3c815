"""A bundle as a way around an agreement: by each door that takes its name, for each published bundle."""

import json
from typing import Any

import pytest

from gateway.clients.bundles import PUBLISHED, Bundle
from tests.gateway_fixture import Caller, GatewayFixture
from tests.job_builders import look, made
from tests.watch_builders import put

pytestmark = pytest.mark.asyncio(loop_scope="session")

DATASETS = frozenset({"registration", "penalty"})
QUESTIONS = frozenset({"not_abnormal.v1", "no_live_penalty.v1"})


async def narrow_client(gateway: GatewayFixture, bundle: Bundle) -> Caller:
    """A client whose agreement has the bundle's purpose and little of its content."""
    return await gateway.client(
        purposes=frozenset({bundle.purpose}), datasets=DATASETS, questions=QUESTIONS
    )


def named_in(document: Any) -> set[str]:
    """The bundles' datasets and tags that a document names."""
    text = json.dumps(document)
    names = {each for bundle in PUBLISHED for each in (*bundle.datasets, *bundle.tags)}
    return {name for name in names if f'"{name}"' in text}


@pytest.mark.parametrize("bundle", PUBLISHED, ids=lambda bundle: bundle.name)
async def test_no_call_by_bundle_asks_more_than_the_agreement(
    gateway: GatewayFixture, bundle: Bundle
) -> None:
    """Goal: be told, be granted or be shown anything of a bundle that the agreement lacks."""
    client, uscc = await narrow_client(gateway, bundle), gateway.uscc("penalised")
    await gateway.grant(
        client,
        uscc,
        purpose=bundle.purpose,
        datasets=bundle.datasets,
        questions=bundle.tags,
        separate=(),
    )
    whole = {"enterprise": {"uscc": uscc}, "purpose": bundle.purpose.value, "bundle": bundle.name}
    query = await client.send("/v1/queries", whole)
    verification = await client.send("/v1/verifications", whole)
    requested = await client.send("/v1/consents", whole, scope="consents")
    path = f"/v1/consents/{requested.json()['consent_id']}"
    consent = await client.send(path, b"", method="GET", scope="consents")
    watch = await put(client, [uscc], purpose=bundle.purpose, bundle=bundle.name)
    job = await made(client, {"purpose": bundle.purpose, "bundle": bundle.name})
    told = [
        query.json(),
        verification.json(),
        consent.json(),
        watch.json(),
        await look(client, job),
    ]
    assert [each.status_code for each in (query, verification, consent, watch)] == [200] * 4
    for each in told:
        assert named_in(each) <= DATASETS | QUESTIONS, each
    for disclosure in await gateway.log_of(client):
        assert set(disclosure["asked"]) <= DATASETS | QUESTIONS
