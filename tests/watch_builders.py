"""Builders for watch lists: put and read them, and what the feed tells of them when all is done."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import httpx2

from gateway.background.sequencing import sequencer_of
from gateway.background.watching import follow_watches
from tests.gateway_fixture import Caller, GatewayFixture

PENALTY: Final = "no_live_penalty.v1"
ACTIVE: Final = "is_active.v1"
KIND: Final = "answer_may_have_changed"


async def put(
    caller: Caller,
    usccs: Iterable[str],
    *questions: str,
    name: str = "nightly",
    purpose: str = "loan_approval",
    bundle: str | None = None,
) -> httpx2.Response:
    """Put a list, of the questions or of a bundle."""
    asked = {"questions": list(questions or (PENALTY,))} if bundle is None else {"bundle": bundle}
    body = {"purpose": purpose, **asked, "enterprises": list(usccs)}
    return await caller.send(f"/v1/watches/{name}", body, method="PUT")


async def watch(gateway: GatewayFixture, caller: Caller, *usccs: str, **more: Any) -> None:
    """Put a list whose answers have been read."""
    answer = await put(caller, usccs, **more)
    assert answer.status_code == 200, answer.text
    await follow(gateway)


async def show(caller: Caller, name: str = "nightly") -> httpx2.Response:
    """Show a list."""
    return await caller.send(f"/v1/watches/{name}", b"", method="GET")


async def delete(caller: Caller, name: str = "nightly") -> httpx2.Response:
    """Delete a list."""
    return await caller.send(f"/v1/watches/{name}", b"", method="DELETE")


async def follow(gateway: GatewayFixture) -> None:
    """Wait until everything that changed or was due is done, by this worker or another."""
    while True:
        await follow_watches(gateway.runtime)
        left = await gateway.rows(
            "SELECT 1 FROM changed_file UNION ALL SELECT 1 FROM watch WHERE due_at <= :now"
            " UNION ALL SELECT 1 FROM watch_list WHERE catalogue_version <> :version",
            now=gateway.clock(),
            version=gateway.runtime.catalogue.version,
        )
        if not left:
            return
        await asyncio.sleep(0.02)


async def told(gateway: GatewayFixture, caller: Caller) -> list[tuple[str, list[str]]]:
    """Enterprise and questions of each change that the feed tells of watched answers, in order."""
    await follow(gateway)
    sequencer = sequencer_of(gateway.runtime)
    while await gateway.rows("SELECT change_id FROM tombstone WHERE cursor IS NULL LIMIT 1"):
        await sequencer.round()
        await asyncio.sleep(0.02)
    answer = await caller.send("/v1/changes", b"", method="GET", scope="changes")
    assert answer.status_code == 200, answer.text
    found = [each for each in answer.json()["changes"] if each["kind"] == KIND]
    return [(each["uscc"], each["questions"]) for each in found]
