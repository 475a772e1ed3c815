"""Authorisation of a source: client kind, state, scope, agreement and its datasets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.clients.agreements import AGREEMENT_JSON, Agreement, agreement_from_json
from gateway.db.statements import Statement
from gateway.ingest.results import Source

SCOPE: Final = "records:write"
SOURCE_KIND: Final = "source"
_CLIENT: Final = Statement(f"""
SELECT c.kind, c.state, c.scopes, c.name_zh, CAST({AGREEMENT_JSON} AS text) AS agreement
  FROM client AS c WHERE c.client_id = CAST(:client_id AS text)""")  # noqa: S608  # constants


def outside_agreement(agreement: Agreement, datasets: Iterable[str]) -> list[str]:
    """The datasets that the agreement does not let the source deliver."""
    return sorted(set(datasets) - agreement.datasets)


class NotASource(Exception):  # named for what the client is not
    """The client may not deliver this; `en` and `zh` are the sentence that says why."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


async def source_of(
    connection: AsyncConnection, client_id: str, dataset: str, *, now: datetime
) -> Source:
    """The client as a source of this dataset; raises `NotASource`."""
    found = (await connection.execute(_CLIENT, {"client_id": client_id})).one_or_none()
    if found is None:
        raise NotASource(f"There is no client {client_id}.", f"不存在接入方 {client_id}。")
    agreement = agreement_from_json(orjson.loads(found.agreement) if found.agreement else None)
    for wrong, en, zh in (
        (found.kind != SOURCE_KIND, "is not registered as a source", "未登记为数源单位"),
        (found.state != "active", f"is {found.state}", f"的状态为 {found.state}"),
        (SCOPE not in found.scopes, f"has not the scope {SCOPE}", f"没有权限 {SCOPE}"),
        (agreement is None or not agreement.in_force(now), "has no agreement in force",
         "没有有效的数字合约"),
        (agreement is not None and bool(outside_agreement(agreement, (dataset,))),
         f"delivers no {dataset} by its agreement", f"的数字合约不含 {dataset}"),
    ):  # fmt: skip
        if wrong:
            raise NotASource(f"{client_id} {en}.", f"{client_id} {zh}。")
    return Source(source_id=client_id, name=found.name_zh)
