"""A department of a test's own, and what it delivers."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx2

from tests.house import Caller, House

SCOPE: Final = "records:write"
DATASETS: Final = frozenset({"licence", "penalty", "public_rating", "tax_and_social"})


async def a_department(house: House, **terms: Any) -> Caller:
    """A source whose agreement names `DATASETS`, or what `terms` say."""
    return await house.client("source", **{"datasets": DATASETS, **terms})


def a_penalty(house: House, uscc: str, **changed: Any) -> dict[str, Any]:
    """A live penalty, told to the public, with a number that nobody has."""
    decided = (house.clock() - timedelta(days=200)).date().isoformat()
    return {
        "uscc": uscc,
        "document_number": f"浙市监罚〔2026〕{secrets.randbelow(10**9)}号",
        "kinds": ["罚款"],
        "facts": "未按规定明码标价。",
        "fine": "12",
        "decided_on": decided,
        "appeal_state": "none",
        "authority": "某市场监督管理局（合成）",
        **changed,
    }


def an_act(record: Mapping[str, Any], action: str, **changed: Any) -> dict[str, Any]:
    """An act on a penalty."""
    return {
        "dataset": "penalty",
        "uscc": record["uscc"],
        "key": record["document_number"],
        "action": action,
        "reason": "信用修复决定",
        "decided_on": "2026-01-05",
        **changed,
    }


async def deliver(caller: Caller, dataset: str, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Deliver rows; their results."""
    response = await sent(caller, "/v1/records", {"dataset": dataset, "records": list(rows)})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    assert [each["row"] for each in results] == list(range(len(rows)))
    return results


async def act(caller: Caller, *actions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Act in one call; its results."""
    response = await sent(caller, "/v1/records/actions", {"actions": list(actions)})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


async def sent(
    caller: Caller, path: str, body: Mapping[str, Any] | bytes, **more: Any
) -> httpx2.Response:
    """A department's call."""
    return await caller.send(path, body, scope=SCOPE, **more)


async def forget(house: House) -> None:
    """Take away what departments of tests delivered: other tests find the province as it was."""
    for table in ("record", "enterprise"):
        await house.rows(f"DELETE FROM {table} WHERE source_id LIKE 'source-%'")  # noqa: S608  # constants
