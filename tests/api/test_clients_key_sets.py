"""Key sets from a client's `jwks_uri`: fetched on demand, cached for an hour, then void."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients import registry
from gateway.clients.authentication_method import Authentication
from gateway.clients.certificates import read_certificate
from gateway.clients.key_sets import ClaimedSigner, ensure_keys, signer_of
from gateway.clients.registration import Registration
from gateway.db.prepared import HotDatabase
from tests.client_builders import (
    FakeInternet,
    make_ec_key,
    make_fake_internet,
    make_key_server,
    make_set,
    ok,
)
from tests.mtls_builders import make_certificate
from tests.oauth_builders import public_jwk, sign_jwt


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetFixture:
    """A client with a `jwks_uri`."""

    client_id: str
    outside: FakeInternet
    hot: HotDatabase
    engine: AsyncEngine
    noon: datetime

    async def ensure(
        self, kid: str | None = "k1", *, x5c: str | None = None, **after: float
    ) -> None:
        """Ensure that its keys are fresh, some time after noon."""
        await ensure_keys(
            self.hot,
            ClaimedSigner(client_id=self.client_id, kid=kid if x5c is None else None, x5c=x5c),
            now=self.noon + timedelta(**after),
            loopback=False,
            route=self.outside.way(),
        )

    async def kids(self) -> list[str]:
        """Key ids that the registry returns."""
        async with self.engine.connect() as connection:
            client = await registry.find(connection, self.client_id)
        assert client is not None
        return [key["kid"] for key in client.keys]

    async def run(self, sql: str, **values: Any) -> Any:
        """Execute an SQL statement."""
        async with self.engine.begin() as connection:
            found = await connection.execute(text(sql), {"client": self.client_id, **values})
            return found.scalar_one_or_none() if found.returns_rows else None

    @property
    def fetches(self) -> int:
        """Number of requests to its server."""
        return self.outside.server.connections


@pytest_asyncio.fixture
async def hot(migrated_url: str) -> AsyncIterator[HotDatabase]:
    """The database with prepared statements."""
    made = await HotDatabase.open(migrated_url, size=5)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def bank(
    engine: AsyncEngine, hot: HotDatabase, tmp_path: Path
) -> AsyncIterator[KeySetFixture]:
    """A bank whose server returns one key, `k1`, without a cache lifetime."""
    async with make_fake_internet(tmp_path) as outside:
        outside.server.answer = ok(make_set("k1"))
        client_id, noon = f"bank-{secrets.token_hex(4)}", datetime.now(UTC)
        async with engine.begin() as connection:
            registration = Registration(
                client_id=client_id,
                kind="bank",
                name_zh="银行",
                name_en="Bank",
                scopes=("query",),
                jwks_uri=outside.url,
            )
            await registry.register_client(connection, registration, now=noon)
        yield KeySetFixture(client_id=client_id, outside=outside, hot=hot, engine=engine, noon=noon)


async def test_keys_are_fetched_when_they_are_first_needed(bank: KeySetFixture) -> None:
    """Before the first fetch the client has no keys and cannot authenticate."""
    assert await bank.kids() == []
    await bank.ensure()
    assert await bank.kids() == ["k1"]


async def test_fresh_keys_are_not_fetched_again(bank: KeySetFixture) -> None:
    """For ten minutes if the server gives no lifetime."""
    await bank.ensure()
    await bank.ensure(minutes=9)
    assert bank.fetches == 1
    await bank.ensure(minutes=11)
    assert bank.fetches == 2


async def test_an_unknown_kid_fetches_at_most_once_a_minute(bank: KeySetFixture) -> None:
    """A rotated key is found at once; unknown kids cause no more than one fetch a minute."""
    await bank.ensure()
    bank.outside.server.answer = ok(make_set("k1", "k2"))
    for second in range(0, 60, 7):
        await bank.ensure(f"made-up-{second}", seconds=second)
    assert bank.fetches == 1
    await bank.ensure("k2", seconds=61)
    assert bank.fetches == 2
    assert await bank.kids() == ["k1", "k2"]


async def test_an_unknown_certificate_fetches_at_most_once_a_minute(bank: KeySetFixture) -> None:
    """A renewed certificate is found as a key is, and cached with it."""
    first, second = make_certificate(), make_certificate()
    bank.outside.server.answer = ok({"keys": [first.jwk]})
    await bank.ensure(x5c=first.jwk["x5c"][0])
    bank.outside.server.answer = ok({"keys": [first.jwk, second.jwk]})
    for second_of in (1, 20, 59):
        await bank.ensure(x5c=second.jwk["x5c"][0], seconds=second_of)
    assert bank.fetches == 1
    await bank.ensure(x5c=second.jwk["x5c"][0], seconds=61)
    await bank.ensure(x5c=first.jwk["x5c"][0], seconds=122)
    assert bank.fetches == 2
    async with bank.engine.connect() as connection:
        found = await registry.find(connection, bank.client_id)
    assert found is not None
    own = Authentication(token_endpoint_auth_method="self_signed_tls_client_auth")
    for holder in (first, second):
        assert read_certificate(holder.der).belongs_to(own, found.keys)


async def test_a_fetched_certificate_of_another_key_refuses_the_set(bank: KeySetFixture) -> None:
    """The same check as for keys given by value."""
    wrong = {**make_certificate().jwk, "x5c": make_certificate().jwk["x5c"]}
    bank.outside.server.answer = ok({"keys": [wrong]})
    await bank.ensure()
    assert bank.fetches == 1
    assert await bank.kids() == []


async def test_a_key_that_the_client_took_back_is_gone_with_the_next_fetch(
    bank: KeySetFixture,
) -> None:
    """The new set replaces the cached one."""
    await bank.ensure()
    bank.outside.server.answer = ok(make_set("k2"))
    await bank.ensure("k2", minutes=2)
    assert await bank.kids() == ["k2"]


async def test_an_outage_keeps_the_last_good_set_until_its_hour_is_over(
    bank: KeySetFixture,
) -> None:
    """After an hour the client has no keys; they return with its server."""
    await bank.ensure()
    good, bank.outside.server.answer = bank.outside.server.answer, b""
    for minutes in (11, 30, 59):
        await bank.ensure(minutes=minutes)
        assert await bank.kids() == ["k1"]
    await _age(bank, hours=1)
    assert await bank.kids() == []
    await bank.ensure(minutes=61)
    assert await bank.kids() == []
    bank.outside.server.answer = good
    await bank.ensure(minutes=63)
    assert await bank.kids() == ["k1"]


async def test_the_registry_without_ensure_keys_fails_closed(bank: KeySetFixture) -> None:
    """The registry itself returns no expired set."""
    await bank.ensure()
    await _age(bank, minutes=59)
    assert await bank.kids() == ["k1"]
    await _age(bank, minutes=2)
    assert await bank.kids() == []


async def test_a_bad_set_takes_nothing_away_and_says_so_to_the_operator(
    bank: KeySetFixture,
) -> None:
    """The cached set stays and the failure is logged, for instance for a private key in the set."""
    await bank.ensure()
    bank.outside.server.answer = ok({"keys": [{**make_set("k2")["keys"][0], "d": "AAAA"}]})
    await bank.ensure("k2", minutes=2)
    assert await bank.kids() == ["k1"]
    trouble = await bank.run("SELECT trouble FROM client_key_set WHERE client_id = :client")
    assert "public keys only" in trouble
    assert "AAAA" not in trouble


async def test_concurrent_calls_wait_for_one_fetch(bank: KeySetFixture) -> None:
    """Concurrent requests wait for one fetch, on any number of workers."""
    answer = ok(make_set("k1"))

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(answer)
        await writer.drain()

    bank.outside.server.answer = slowly
    seen = []

    async def one() -> None:
        await bank.ensure()
        seen.append(await bank.kids())

    await asyncio.gather(*(one() for _ in range(20)))
    assert bank.fetches == 1
    assert seen == [["k1"]] * 20


async def test_concurrent_calls_do_not_wait_after_a_failed_fetch(bank: KeySetFixture) -> None:
    """One failed fetch a minute, without delay for the callers."""
    bank.outside.server.answer = b""
    await asyncio.gather(*(bank.ensure() for _ in range(20)))
    assert bank.fetches == 1
    assert await bank.kids() == []
    assert await bank.run("SELECT trouble FROM client_key_set WHERE client_id = :client")


async def test_a_new_address_forgets_the_old_addresss_keys_at_once(bank: KeySetFixture) -> None:
    """Even before the first fetch from the new URL, regardless of the one-minute limit."""
    await bank.ensure()
    await bank.run("UPDATE client SET jwks_uri = jwks_uri || '?v=2' WHERE client_id = :client")
    assert await bank.kids() == []
    await bank.ensure(seconds=1)
    assert await bank.kids() == ["k1"]
    assert b"/jwks.json?v=2" in bank.outside.server.requests[-1]


async def test_a_set_from_the_old_address_that_arrives_late_is_not_kept(
    bank: KeySetFixture,
) -> None:
    """The URL changed during the fetch."""

    async def changing(writer: asyncio.StreamWriter) -> None:
        await bank.run("UPDATE client SET jwks_uri = jwks_uri || '?v=2' WHERE client_id = :client")
        writer.write(ok(make_set("late")))
        await writer.drain()

    bank.outside.server.answer = changing
    await bank.ensure()
    assert await bank.kids() == []


@pytest.mark.parametrize("state", ["suspended", "ended"])
async def test_nothing_is_fetched_for_a_client_that_may_not_call(
    bank: KeySetFixture, state: str
) -> None:
    """Neither for a suspended nor for an unknown client."""
    await bank.run("UPDATE client SET state = :state WHERE client_id = :client", state=state)
    await bank.ensure()
    for nobody in ("nobody", "a b", "a\0b", ""):
        claimed = ClaimedSigner(client_id=nobody, kid="k1")
        await ensure_keys(bank.hot, claimed, now=bank.noon, loopback=False)
    assert bank.fetches == 0
    assert await bank.kids() == []


@pytest.mark.parametrize("assertion", [None, "", "a.b.c", "x" * 9_000, "e30.e30.e30"])
def test_a_malformed_assertion_fetches_nothing(assertion: str | None) -> None:
    """No client is named, so nothing is fetched; authentication refuses it."""
    assert signer_of(assertion) is None


async def test_an_assertion_names_whose_keys_are_needed(
    engine: AsyncEngine, hot: HotDatabase
) -> None:
    """By `sub` and `kid`; in the demo over plain HTTP on loopback."""
    now = datetime.now(UTC)
    key, client_id = make_ec_key(), f"bank-{secrets.token_hex(4)}"
    async with make_key_server() as server:
        server.answer = ok({"keys": [public_jwk(key, kid="k1")]})
        registration = Registration(
            client_id=client_id,
            kind="bank",
            name_zh="银行",
            name_en="Bank",
            scopes=("query",),
            jwks_uri=f"http://127.0.0.1:{server.port}/keys",
            loopback=True,
        )
        async with engine.begin() as connection:
            await registry.register_client(connection, registration, now=now)
        claimed = signer_of(sign_jwt(key, "ES256", {"sub": client_id}, {"kid": "k1"}))
        assert claimed is not None
        found = await registry.find_signer(hot, claimed, now=now, loopback=False)
        assert server.connections == 0
        assert found is not None
        assert found.keys == ()
        later = now + timedelta(minutes=2)
        found = await registry.find_signer(hot, claimed, now=later, loopback=True)
        assert server.connections == 1
        assert found is not None
        assert (found.client_id, [each["kid"] for each in found.keys]) == (client_id, ["k1"])


async def _age(bank: KeySetFixture, **duration: float) -> None:
    """Backdate the fetch by the database's clock."""
    await bank.run(
        "UPDATE client_key_set SET fetched_at = fetched_at - CAST(:by AS interval)"
        " WHERE client_id = :client",
        by=timedelta(**duration),
    )
