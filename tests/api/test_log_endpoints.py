"""Transparency log over HTTP: tiles, checkpoints, bundles, receipts."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from gateway import problems
from gateway.access.http.request_middleware import RequestMiddleware
from gateway.background.sequencing import sequencer_of, sequencing
from gateway.log.routes import router
from gateway.transparency import merkle
from gateway.transparency.checkpoint_stores import StoreError
from gateway.transparency.disclosure_leaf import Disclosure
from gateway.transparency.sequencer import Sequencer
from tests import merkle_proofs, reference_merkle
from tests.databases import new_database
from tests.log_builders import (
    EMPTY,
    ORIGIN,
    downloaded_entries,
    on_a_full_disk,
    open_note,
    raw_key,
    sequence_all,
    write_disclosures,
)
from tests.oauth_builders import ISSUER, Bank, OAuthFixture, open_oauth
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFixture:
    """A running gateway with a log, and a bank with a token."""

    oauth: OAuthFixture
    http: httpx2.AsyncClient
    sequencer: Sequencer
    bank: Bank

    async def disclosed(
        self, count: int, bank: Bank | None = None
    ) -> list[tuple[Disclosure, bytes]]:
        """Make disclosures to the bank."""
        client_id = (bank or self.bank).client_id
        return await write_disclosures(self.oauth.runtime.hot, count, client_id=client_id)

    async def head(self) -> tuple[int, bytes]:
        """The newest checkpoint, verified."""
        answer = (await self.http.get("/log/checkpoint")).raise_for_status()
        key = raw_key(self.oauth.runtime.keys)
        head = open_note(answer.text, origin=ORIGIN, public_key=key)
        return head.size, head.root

    async def token(self, scope: str = "query") -> str:
        """The bank's access token."""
        return str((await self.bank.token(scope=scope)).json()["access_token"])

    async def receipt(
        self,
        disclosure_id: str,
        *,
        scope: str = "query",
        token: str | None = None,
    ) -> httpx2.Response:
        """Request a receipt as the bank."""
        token = token or await self.token(scope)
        path = f"/v1/receipts/{disclosure_id}"
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode()
        proof = await self.bank.proof(path, htm="GET", ath=ath.rstrip("="))
        return await self.http.get(path, headers={"Authorization": f"DPoP {token}", "DPoP": proof})


@pytest.fixture(scope="module")
def log_url(postgres_url: str) -> str:
    """A database without another sequencer."""
    return asyncio.run(new_database(postgres_url))


@pytest_asyncio.fixture
async def log(log_url: str, tmp_path: Path) -> AsyncIterator[LogFixture]:
    """A gateway with an empty log."""
    async with open_oauth(log_url, tmp_path) as oauth:
        await oauth.change(EMPTY)
        app = FastAPI()
        app.state.runtime = oauth.runtime
        app.include_router(router)
        problems.install(app)
        app.add_middleware(RequestMiddleware, on_fault=problems.fault)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
            sequencer = replace(sequencer_of(oauth.runtime), batch=130)
            yield LogFixture(oauth=oauth, http=http, sequencer=sequencer, bank=await oauth.bank())


async def test_the_downloaded_log_has_the_root_of_its_checkpoint(log: LogFixture) -> None:
    """Entries and leaf hashes of 600 leaves, from full and partial bundles and tiles."""
    written = await log.disclosed(600)
    await sequence_all(log.sequencer)
    size, root = await log.head()
    entries = await downloaded_entries(log.http, size)
    assert entries == [entry for _, entry in written]
    assert root == reference_merkle.mth(entries)


async def test_a_tile_above_the_leaves_holds_the_roots_of_full_tiles(log: LogFixture) -> None:
    """600 leaves have two full tiles, so level 1 has a partial tile of width 2."""
    entries = [entry for _, entry in await log.disclosed(600)]
    await sequence_all(log.sequencer)
    answer = await log.http.get("/log/tile/1/000.p/2")
    roots = reference_merkle.mth(entries[:256]), reference_merkle.mth(entries[256:512])
    assert answer.content == b"".join(roots)


async def test_full_tiles_last_for_ever_and_the_checkpoint_is_always_asked_for(
    log: LogFixture,
) -> None:
    """Cache-Control: immutable for full tiles, no-cache for the checkpoint."""
    await log.disclosed(300)
    await sequence_all(log.sequencer)
    kept = {
        path: (await log.http.get(path)).raise_for_status().headers
        for path in (
            "/log/checkpoint",
            "/log/tile/0/000",
            "/log/tile/0/001.p/44",
            "/log/tile/entries/000",
            "/log/entries/000",
        )
    }
    assert kept["/log/checkpoint"]["cache-control"] == "no-store"
    assert kept["/log/checkpoint"]["content-type"] == "text/plain; charset=utf-8"
    assert "immutable" not in kept["/log/tile/0/001.p/44"]["cache-control"]
    for path in ("/log/tile/0/000", "/log/tile/entries/000", "/log/entries/000"):
        assert kept[path]["cache-control"] == "public, max-age=31536000, immutable"
        assert kept[path]["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "/log/tile/0/000",
        "/log/tile/0/000.p/11",
        "/log/tile/0/001.p/1",
        "/log/tile/1/000.p/1",
        "/log/tile/63/x999/x999/x999/x999/999",
        "/log/tile/64/000",
        "/log/tile/00/000",
        "/log/tile/0/0",
        "/log/tile/0/000.p/0",
        "/log/tile/0/x000/000",
        "/log/entries/001.p/1",
        "/log/tile/entries/000.p/11",
        "/log/entries/%20",
        "/log/tile/%20/000",
        "/log/tile/0/-01",
    ],
)
async def test_tiles_beyond_the_tree_are_404_and_not_cached(
    log: LogFixture,
    path: str,
) -> None:
    """Tiles have one path each and are served completely or not at all."""
    await log.disclosed(10)
    await sequence_all(log.sequencer)
    answer = await log.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_tile_never_changes_as_the_tree_grows(log: LogFixture) -> None:
    """The bytes stay the same while the tree grows."""
    paths = ["/log/tile/0/000.p/200", "/log/entries/000.p/200"]
    await log.disclosed(200)
    await sequence_all(log.sequencer)
    before = [(await log.http.get(path)).content for path in paths]
    await log.disclosed(200)
    await sequence_all(log.sequencer)
    assert [(await log.http.get(path)).content for path in paths] == before


async def test_there_is_no_checkpoint_before_the_first_round(log: LogFixture) -> None:
    """404 before the first checkpoint."""
    answer = await log.http.get("/log/checkpoint")
    assert (answer.status_code, answer.headers["retry-after"]) == (404, "1")


async def test_every_disclosure_has_a_receipt_that_verifies_offline(log: LogFixture) -> None:
    """From the promised leaf to the root under the log's signature."""
    written = await log.disclosed(300)
    await sequence_all(log.sequencer)
    key = raw_key(log.oauth.runtime.keys)
    for disclosure, entry in written[::23]:
        answer = await log.receipt(disclosure.disclosure_id)
        receipt = answer.raise_for_status().json()
        assert receipt["disclosure_id"] == disclosure.disclosure_id
        assert receipt["leaf_hash"] == entry.hex()
        assert receipt["log"] == f"{ISSUER}/log"
        head = open_note(receipt["checkpoint"], origin=ORIGIN, public_key=key)
        index, proof = receipt["leaf_index"], [bytes.fromhex(p) for p in receipt["inclusion_proof"]]
        assert receipt["tree_size"] == head.size == 300
        assert reference_merkle.root_from_path(entry, index, head.size, proof) == head.root
        assert merkle_proofs.includes(merkle.leaf_hash(entry), index, head.size, proof, head.root)


async def test_sequenced_leaves_are_published_once_the_checkpoint_is_stored_outside(
    log: LogFixture,
) -> None:
    """No checkpoint, tile or receipt before the checkpoint is stored outside the database."""
    [(before, _)] = await log.disclosed(1)
    await sequence_all(log.sequencer)
    [(fresh, entry)] = await log.disclosed(1)
    with pytest.raises(StoreError):
        await on_a_full_disk(log.sequencer).round()
    assert await log.oauth.value("SELECT max(size) FROM checkpoint") == 2
    fresh_paths = ("/log/tile/0/000.p/2", "/log/tile/entries/000.p/2", "/log/entries/000.p/2")
    assert (await log.head())[0] == 1
    assert [(await log.http.get(path)).status_code for path in fresh_paths] == [404] * 3
    assert (await log.receipt(fresh.disclosure_id)).status_code == 404
    assert (await log.receipt(before.disclosure_id)).json()["tree_size"] == 1
    await sequence_all(log.sequencer)
    assert (await log.head())[0] == 2
    assert [(await log.http.get(path)).status_code for path in fresh_paths] == [200] * 3
    assert (await log.receipt(fresh.disclosure_id)).json()["leaf_hash"] == entry.hex()


async def test_a_receipt_is_signed_and_never_cached(log: LogFixture) -> None:
    """Signed and no-store, as every answer under /v1."""
    [(disclosure, _)] = await log.disclosed(1)
    await sequence_all(log.sequencer)
    answer = await log.receipt(disclosure.disclosure_id, scope="verify")
    assert answer.status_code == 200
    assert {"signature", "signature-input", "content-digest"} <= answer.headers.keys()
    assert answer.headers["cache-control"] == "no-store"


async def test_pending_unknown_and_another_clients_disclosure_look_the_same(
    log: LogFixture,
) -> None:
    """404 with Retry-After for each."""
    other = await log.oauth.bank()
    [(theirs, _)] = await log.disclosed(1, other)
    await sequence_all(log.sequencer)
    [(pending, _)] = await log.disclosed(1)
    answers = [
        await log.receipt(each)
        for each in (theirs.disclosure_id, pending.disclosure_id, "dsc_unknown", "a%20b")
    ]
    told = [{**each.json(), "request_id": None} for each in answers]
    assert [each.status_code for each in answers] == [404] * 4
    assert [each.headers["retry-after"] for each in answers] == ["1"] * 4
    assert all(each == told[0] for each in told)
    assert told[0]["code"] == "not_found"


async def test_a_receipt_needs_a_scope_that_discloses(log: LogFixture) -> None:
    """`verify` or `query`; the challenge names both."""
    answer = await log.receipt("dsc_any", scope="consents")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="verify query"' in answer.headers["www-authenticate"]


async def test_a_receipt_needs_a_token_of_ours(log: LogFixture) -> None:
    """The log is public; disclosures are not."""
    answer = await log.receipt("dsc_any", token="made.up.token")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_a_suspended_client_gets_no_receipts(log: LogFixture) -> None:
    """From the next call."""
    [(disclosure, _)] = await log.disclosed(1)
    await sequence_all(log.sequencer)
    suspended = "UPDATE client SET state = 'suspended' WHERE client_id = :client_id"
    token = await log.token()
    await log.oauth.change(suspended, client_id=log.bank.client_id)
    answer = await log.receipt(disclosure.disclosure_id, token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "client_suspended")


async def test_while_the_gateway_serves_it_seals_and_at_its_end_it_seals_the_rest(
    log: LogFixture,
) -> None:
    """Promises are kept, also through a shutdown."""
    async with sequencing(log.oauth.runtime):
        [(first, _)] = await log.disclosed(1)
        async with asyncio.timeout(PATIENCE):
            while (await log.receipt(first.disclosure_id)).status_code != 200:
                pass
        [(last, _)] = await log.disclosed(1)
    assert (await log.receipt(first.disclosure_id)).status_code == 200
    assert (await log.receipt(last.disclosure_id)).status_code == 200
