"""oauth4webapi and openid-client, unpatched, through the whole OAuth flow.

The enterprise decides by a headless visitor on the real pages.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from tests.gateway_fixture import GatewayFixture
from tests.node.programs import Node, Program

PURPOSE = "post_loan_management"
DATASETS = ["registration", "licence"]
ALGORITHMS = ("ES256", "PS256", "Ed25519")
PARTS = [
    pytest.param(script, algorithm, id=f"{script.removesuffix('.mjs')}-{algorithm}")
    for script in ("openid-client.mjs", "oauth4webapi.mjs")
    for algorithm in ALGORITHMS
]

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Steps of a client, and the enterprise."""

    issuer: str
    uscc: str
    algorithm: str
    steps: Mapping[str, Step]

    def statuses(self, step: str, path: str) -> list[int]:
        """Statuses of `path` in that step, in order."""
        return [e["status"] for e in self.steps[step]["exchanges"] if e["path"] == path]


async def travel(
    gateway: GatewayFixture, node: Node, folder: Path, script: str, algorithm: str
) -> Journey:
    """Run `script` as the bank, and decide as the enterprise."""
    kit = folder / "kit.json"
    kit.write_text(json.dumps(gateway.kit))
    subject = gateway.subject("individual_business")
    ask = {
        "kit": str(kit),
        "client": "bank",
        "proof_algorithm": algorithm,
        "query": {
            "enterprise": {"uscc": subject["uscc"]},
            "purpose": PURPOSE,
            "datasets": DATASETS,
        },
    }
    steps: dict[str, Step] = {}
    async with Program.running(node, script, ask) as program:
        while "family revoked" not in steps:
            said = await program.says()
            assert said["step"] != "failed", said
            steps[said["step"]] = said
            if said["step"] == "authorize":
                async with HeadlessVisitor(gateway.issuer, subject["login"]) as visitor:
                    callback = await visitor.decide(said["url"], datasets=DATASETS, questions=[])
                await program.hears(callback)
        assert await program.ends() == 0
    return Journey(issuer=gateway.issuer, uscc=subject["uscc"], algorithm=algorithm, steps=steps)


@pytest.mark.parametrize(("script", "algorithm"), PARTS)
async def test_a_foreign_client_goes_the_whole_way_and_loses_what_is_revoked(
    served: GatewayFixture,
    node: Node,
    tmp_path: Path,
    script: str,
    algorithm: str,
) -> None:
    """Discovery, PAR, decision, code, refresh, own token, query, introspection, revocation."""
    journey = await travel(served, node, tmp_path, script, algorithm)
    for holds in HOLDS:
        holds(journey)


def it_found_the_metadata(journey: Journey) -> None:
    """RFC 8414, and RFC 9728 where the client reads it."""
    found = journey.steps["discovered"]
    assert found["metadata"]["issuer"] == journey.issuer
    assert found["metadata"]["require_pushed_authorization_requests"] is True
    assert found.get("resource", {"resource": journey.issuer})["resource"] == journey.issuer


def it_pushed_its_request_with_a_proof(journey: Journey) -> None:
    """The first proof is refused for its nonce, the second accepted (RFC 9449 §8)."""
    assert journey.statuses("authorize", "/oauth/par") == [400, 201]
    address = journey.steps["authorize"]["url"]
    assert address.startswith(f"{journey.issuer}/oauth/authorize?")
    assert "request_uri=urn" in address
    assert "code_challenge" not in address


def it_would_not_take_another_issuers_answer(journey: Journey) -> None:
    """RFC 9207: the client compares our `iss`."""
    refused = journey.steps["forged issuer"]
    assert '"iss"' in refused["says"]
    assert refused["exchanges"] == []


def its_tokens_say_what_was_granted(journey: Journey) -> None:
    """The code gave a bound token, a refresh token and the granted details (RFC 9396)."""
    tokens = journey.steps["tokens"]["tokens"]
    assert tokens["token_type"] == "dpop"  # as these libraries normalise it
    assert tokens["refresh_token"]
    assert tokens["scope"] == "query"
    [granted] = tokens["authorization_details"]
    assert granted["type"] == "credit_data"
    assert granted["enterprise"] == {"uscc": journey.uscc}
    assert granted["purpose"] == PURPOSE
    assert sorted(granted["datasets"]) == sorted(DATASETS)
    assert granted["consent_id"]


def its_token_is_introspected_as_bound(journey: Journey) -> None:
    """RFC 7662: granted details and bound key."""
    told = journey.steps["introspected"]["told"]
    assert told["active"] is True
    assert told["client_id"] == "demo-bank"
    assert told["uscc"] == journey.uscc
    assert len(told["cnf"]["jkt"]) == 43
    assert (
        told["authorization_details"] == journey.steps["tokens"]["tokens"]["authorization_details"]
    )


def its_query_took_the_resource_servers_nonce(journey: Journey) -> None:
    """One challenge for a nonce, then the consented records."""
    queried = journey.steps["queried"]
    assert journey.statuses("queried", "/v1/queries") == [401, 200]
    answer = queried["answer"]
    assert answer["enterprise"] == {"uscc": journey.uscc}
    assert {record["dataset"] for record in answer["records"]} <= set(DATASETS)
    assert any(record["dataset"] == "registration" for record in answer["records"])
    token = journey.steps["tokens"]["tokens"]["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert queried.get("claims", claims) == claims


def its_refresh_token_goes_on(journey: Journey) -> None:
    """A refresh with a new key gives a token bound to it, and no new refresh token (FAPI 2.0)."""
    first, refreshed = journey.steps["tokens"]["tokens"], journey.steps["refreshed"]
    assert refreshed["status"] == 200
    bound = {
        jwt.decode(each["access_token"], options={"verify_signature": False})["cnf"]["jkt"]
        for each in (first, refreshed["tokens"])
    }
    assert len(bound) == 2
    assert (
        refreshed["tokens"].get("refresh_token", first["refresh_token"]) == first["refresh_token"]
    )


def its_own_credentials_reach_the_consent_by_its_id(journey: Journey) -> None:
    """A client_credentials token with the consent's id."""
    own = journey.steps["own credentials"]
    assert own["status"] == 200
    assert "refresh_token" not in own["tokens"]
    assert "authorization_details" not in own["tokens"]


def its_revoked_token_is_dead(journey: Journey) -> None:
    """RFC 7009: from the next call, at both servers."""
    revoked = journey.steps["revoked"]
    assert revoked["told"] == {"active": False}
    assert (revoked["refused"]["status"], revoked["refused"]["error"]) == (401, "invalid_token")


def its_revoked_refresh_token_took_all_along(journey: Journey) -> None:
    """Access tokens from the refresh token are revoked."""
    ended = journey.steps["family revoked"]
    assert (ended["refused"]["status"], ended["refused"]["error"]) == (401, "invalid_token")
    assert (ended["ended"]["status"], ended["ended"]["error"]) == (400, "invalid_grant")


HOLDS = (
    it_found_the_metadata,
    it_pushed_its_request_with_a_proof,
    it_would_not_take_another_issuers_answer,
    its_tokens_say_what_was_granted,
    its_token_is_introspected_as_bound,
    its_query_took_the_resource_servers_nonce,
    its_refresh_token_goes_on,
    its_own_credentials_reach_the_consent_by_its_id,
    its_revoked_token_is_dead,
    its_revoked_refresh_token_took_all_along,
)
