"""Timing side channels at the token endpoint: registration cannot be inferred (Welch's t-test)."""

import time
from collections.abc import Mapping

import httpx2
import pytest

from tests.oauth_builders import ASSERTION_TYPE, ISSUER, OAuthFixture
from tests.unregistered_clients import EVERYBODY, FORGED, ClientCase
from tests.welch import Ask, LeakyApplication, compare

pytestmark = pytest.mark.alone

ENDPOINTS = {
    "token": {"grant_type": "client_credentials"},
    "par": {"response_type": "code"},
    "introspect": {"token": "t"},
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_unknown_and_registered_clients_are_refused_equally_fast(
    oauth: OAuthFixture, endpoint: str
) -> None:
    """Unknown, another key, suspended, without keys, with a `jwks_uri`."""
    path = f"/oauth/{endpoint}"
    names = ["unknown", "with_another_key"]
    if endpoint == "token":
        names += ["suspended", "without_keys", "with_keys_elsewhere"]
    everybody = {name: await EVERYBODY[name](oauth) for name in names}
    slower = LeakyApplication(oauth.app)
    transport = httpx2.ASGITransport(app=slower)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:

        def forging(registered: ClientCase) -> Ask:
            signer = registered.forger(oauth, *FORGED["ES256"])

            async def ask(mark: str) -> float:
                form: Mapping[str, str] = {
                    **ENDPOINTS[endpoint],
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": signer.assertion(),
                }
                headers = {"X-Request-Id": mark, "DPoP": await signer.proof(path)}
                begun = time.perf_counter()
                answer = await http.post(path, data=form, headers=headers)
                taken = time.perf_counter() - begun
                assert answer.json()["error"] == "invalid_client"
                return taken

            return ask

        groups = {name: forging(each) for name, each in everybody.items()}
        compared = await compare(groups, slower=slower, baseline="with_another_key")
    print(compared)
    compared.demand_alike()
