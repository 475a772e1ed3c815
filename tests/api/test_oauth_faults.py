"""OAuth endpoints: outages of Redis and PostgreSQL, and refusal logging without secrets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

import asyncpg
import pytest
from structlog.testing import capture_logs

from gateway.clients.registry import FIND_SIGNER
from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.limits.model import Admission, LimitsQuery, LinesAdmission
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.oauth.unit_of_work import SPEND_AND_STORE
from tests.oauth_builders import ASSERTION_TYPE, OAuthFixture, make_bank


class UnreachableStore:
    """A store that cannot be reached."""

    async def admit(self, _admission: Admission) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def admit_lines(self, _admission: LinesAdmission) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def read(self, _query: LimitsQuery) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def admit_members(self, _tag: str, _members: object) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def note_refusal(self, _tag: str, _name: str, _seconds: int) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def generation(self) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def shared_random(self, _name: str, _seconds: int) -> NoReturn:
        """Raise as an unreachable Redis does."""
        raise LimiterUnavailableError

    async def close(self) -> None:
        """Do nothing."""


async def test_without_the_replay_store_there_is_no_token(oauth: OAuthFixture) -> None:
    """503 with Retry-After, and nothing is spent."""
    bank = await oauth.bank()
    proof, assertion = await bank.proof("/oauth/token"), bank.assertion()
    oauth.app.state.runtime = replace(oauth.runtime, limiter=UnreachableStore())
    answer = await bank.token(proof=proof, assertion=assertion)
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    oauth.app.state.runtime = oauth.runtime
    assert (await bank.token(proof=proof, assertion=assertion)).status_code == 200


KEPT = "SELECT count(*) FROM access_token WHERE client_id = :client"


class DyingDatabase(HotDatabase):
    """A database that fails at the statement `last`, before or after executing it."""

    def __init__(self, alive: HotDatabase, last: Statement, *, after: bool) -> None:
        self._alive = alive
        self._last = last
        self._after = after

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Execute, or fail at `last`."""
        if statement is not self._last:
            return await self._alive.row(statement, values)
        if self._after:
            await self._alive.row(statement, values)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")


async def test_without_the_database_no_grant_gives_a_token(oauth: OAuthFixture) -> None:
    """No token if the code cannot be read."""
    bank = await oauth.bank()
    code = await bank.code()
    nowhere = make_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    oauth.app.state.runtime = replace(oauth.runtime, engine=nowhere)
    answer = await bank.redeem(code)
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


@pytest.mark.parametrize(
    "last", [FIND_SIGNER.single, SPEND_AND_STORE.single], ids=["read", "write"]
)
async def test_without_the_database_there_is_no_token(oauth: OAuthFixture, last: Statement) -> None:
    """Neither if the client cannot be read nor if the token cannot be stored."""
    bank = await oauth.bank()
    oauth.app.state.runtime = replace(
        oauth.runtime, hot=DyingDatabase(oauth.runtime.hot, last, after=False)
    )
    answer = await bank.token()
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert await oauth.value(KEPT, client=bank.client_id) == 0
    oauth.app.state.runtime = oauth.runtime
    assert (await bank.token()).status_code == 200


async def test_an_assertion_whose_token_was_lost_on_its_way_is_spent(oauth: OAuthFixture) -> None:
    """Token and `jti` are stored by one statement."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    oauth.app.state.runtime = replace(
        oauth.runtime, hot=DyingDatabase(oauth.runtime.hot, SPEND_AND_STORE.single, after=True)
    )
    assert (await bank.token(assertion=assertion)).status_code == 503
    oauth.app.state.runtime = oauth.runtime
    answer = await bank.token(assertion=assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_a_refusal_is_logged_with_reason_and_client(oauth: OAuthFixture) -> None:
    """The log line says more than the answer."""
    bank, stranger = await oauth.bank(), make_bank(oauth)
    with capture_logs() as logs:
        await bank.token(scope="admin")
        form = {"grant_type": "client_credentials", "client_id": stranger.client_id}
        await stranger.post("/oauth/token", form)
        await bank.post("/oauth/token", {"grant_type": "password"})
    known, unknown, unsupported = logs
    assert (known["error"], known["client_id"]) == ("invalid_scope", bank.client_id)
    assert (unknown["client_id"], unknown["claimed_client_id"]) == (None, stranger.client_id)
    assert unknown["reason"] == "unknown client or wrong signature"
    assert unsupported["reason"]


async def test_the_client_of_an_assertion_is_logged_without_a_parameter(
    oauth: OAuthFixture,
) -> None:
    """The `client_id` is taken from the assertion if no parameter has it."""
    bank, stranger = await oauth.bank(), make_bank(oauth)
    with capture_logs() as logs:
        await bank.token(assertion=bank.assertion(aud="https://elsewhere.test"))
        await stranger.token()
        await bank.about("introspect", "")
        await bank.token(proof="no proof")
        await bank.token(assertion=bank.assertion(sub="110101199001010015"))
    claimed = [each["claimed_client_id"] for each in logs]
    assert claimed[:4] == [bank.client_id, stranger.client_id, bank.client_id, bank.client_id]
    assert "110101199001010015" not in str(logs)


async def test_a_client_id_that_is_none_is_not_logged(oauth: OAuthFixture) -> None:
    """Parameters are not copied to the log."""
    bank = await oauth.bank()
    with capture_logs() as logs:
        await bank.post("/oauth/token", {"client_id": "x\n2026 forged line"})
    assert logs[0]["claimed_client_id"] is None
    assert "forged" not in str(logs)


async def test_no_secret_reaches_the_log(oauth: OAuthFixture) -> None:
    """No assertions, proofs, codes, verifiers or tokens."""
    bank = await oauth.bank()
    code = await bank.code()
    tokens = (await bank.redeem(code)).json()
    assertion, proof = bank.assertion(), await bank.proof("/oauth/token")
    with capture_logs() as logs:
        await bank.redeem(code)
        await bank.token(assertion=assertion, proof=proof)
        await bank.token(assertion=assertion, proof=await bank.proof("/oauth/token"))
        await bank.token(proof=proof)
        await bank.refresh(tokens["refresh_token"])
        await bank.about("revoke", tokens["access_token"][:-1])
        await bank.open(await bank.pushed(state="the-state") + "x")
        await oauth.http.post(
            "/oauth/introspect",
            data={
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
                "token": tokens["access_token"],
            },
        )
    assert len(logs) >= 5
    for secret in (code, assertion, proof, *tokens.values(), "v" * 43, "the-state"):
        assert str(secret) not in str(logs)


@pytest.mark.parametrize("endpoint", ["token", "par", "introspect", "revoke"])
async def test_every_refusal_is_an_oauth_error(oauth: OAuthFixture, endpoint: str) -> None:
    """JSON with `error` and an ASCII description, no-store (RFC 6749 §5.2)."""
    bank = await oauth.bank()
    answer = await bank.post(f"/oauth/{endpoint}", {"client_id": 'é"\\' * 200})
    body = answer.json()
    assert answer.status_code == 400
    assert body.keys() == {"error", "error_description"}
    assert set(body["error_description"]) <= {chr(c) for c in range(0x20, 0x7F)} - {'"', "\\"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
