"""Registration of a client cannot be inferred without its key: answers, statements, signatures.

The answer, the statements and the number of signatures that are verified are the same, at every
endpoint at which clients authenticate; `test_oauth_timing` measures how long that takes.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from gateway.oauth.claimed_client import claimed_client
from gateway.signing import jws
from tests.mtls_builders import Holder, make_certificate, peer
from tests.oauth_builders import ASSERTION_TYPE, OAuthFixture, open_oauth
from tests.statement_recorder import record_statements
from tests.unregistered_clients import EVERYBODY, FORGED, ClientCase

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = {
    "token": {"grant_type": "client_credentials"},
    "token for a code": {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": "https://bank.test/callback",
        "code_verifier": "v" * 43,
    },
    "token for a refresh token": {"grant_type": "refresh_token", "refresh_token": "r"},
    "par": {"response_type": "code"},
    "introspect": {"token": "t"},
    "revoke": {"token": "t"},
}
HEADERS: dict[str, dict[str, Any]] = {
    "a kid": {},
    "no kid": {"kid": None},
    "another kid": {"kid": "another"},
}
PROXY = "10.1.2.3"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def oauth(
    migrated_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OAuthFixture]:
    """An authorization server behind a proxy that forwards certificates."""
    folder = tmp_path_factory.mktemp("world")
    async with open_oauth(migrated_url, folder, trusted_proxies=PROXY) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def every_client(oauth: OAuthFixture) -> Mapping[str, ClientCase]:
    """A client of each kind, and an unknown one."""
    return {name: await making(oauth) for name, making in EVERYBODY.items()}


def verifications() -> int:
    """Number of signature verifications of this process."""
    asked = jws._public_key.cache_info()
    return asked.hits + asked.misses


async def observe(
    oauth: OAuthFixture, endpoint: str, form: dict[str, str], *, holder: Holder | None = None
) -> Any:
    """Answer, statements and verifications of a call."""
    path = f"/oauth/{endpoint.split(maxsplit=1)[0]}"
    headers = {} if holder is None else {"Client-Cert": holder.header}
    if endpoint.startswith("token") and holder is None:
        headers["DPoP"] = await proof(oauth, path)
    before = verifications()
    with record_statements(oauth.app) as database:
        async with peer(oauth, PROXY) as http:
            answer = await http.post(path, data=ENDPOINTS[endpoint] | form, headers=headers)
    headers_told = {n: v for n, v in answer.headers.items() if n != "dpop-nonce"}
    assert answer.json()["error"] == "invalid_client"
    asked = [statement.sql for statement, _ in database.asked]
    return answer.status_code, answer.content, headers_told, asked, verifications() - before


async def proof(oauth: OAuthFixture, path: str) -> str:
    """A DPoP proof with a new key."""
    return await ClientCase(client_id="x").forger(oauth, *FORGED["ES256"]).proof(path)


@pytest.mark.parametrize(
    ("endpoint", "forged", "header"),
    [
        *(("token", forged, header) for forged in FORGED for header in HEADERS),
        *((endpoint, "ES256", "a kid") for endpoint in ENDPOINTS if endpoint != "token"),
    ],
)
async def test_a_forged_assertion_tells_nothing_of_its_client(
    oauth: OAuthFixture,
    every_client: Mapping[str, ClientCase],
    endpoint: str,
    forged: str,
    header: str,
) -> None:
    """Unknown, suspended, without keys, with one or eight, of other types, with a `jwks_uri`."""
    found = {}
    for name, each in every_client.items():
        signer = each.forger(oauth, *FORGED[forged])
        assertion = signer.assertion(header=HEADERS[header])
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        found[name] = await observe(oauth, endpoint, form)
    assert len({repr(each) for each in found.values()}) == 1, found
    *_, asked, verified = found["unknown"]
    # Beside the assertion's, a proof's own signature at the token endpoint.
    assert verified - endpoint.startswith("token") == (8 if header == "no kid" else 1)
    assert len(asked) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_foreign_certificate_tells_nothing_of_a_client(
    oauth: OAuthFixture, every_client: Mapping[str, ClientCase], endpoint: str
) -> None:
    """A certificate of another authority subject, sent in a client's name."""
    holder = make_certificate("CN=somebody else")
    found = {
        name: await observe(oauth, endpoint, {"client_id": each.client_id}, holder=holder)
        for name, each in every_client.items()
    }
    assert len({repr(each) for each in found.values()}) == 1, found
    assert len(found["unknown"][3]) == 1


async def test_an_unknown_client_costs_the_same_reads(
    oauth: OAuthFixture, every_client: Mapping[str, ClientCase]
) -> None:
    """The row of another client is read and discarded."""
    rows = {}
    for name, each in every_client.items():
        assertion = each.forger(oauth, *FORGED["ES256"]).assertion()
        with record_statements(oauth.app) as database:
            found = await claimed_client(
                {"client_assertion": assertion}, None, oauth.app.state.runtime
            )
        assert (found is None) is name.startswith("unknown")
        [(statement, values)] = database.asked
        row = await oauth.runtime.hot.row(statement, values)
        assert row is not None
        rows[name] = {column: value is not None for column, value in row.items()}
    assert rows["unknown"]["client_id"]
    assert rows["unknown"]["jwks"]
    assert rows["unknown"].keys() == rows["with_another_key"].keys()
