"""Agreements as calls read them: the newest version, and its quotas.

A version never changes, so it is remembered with its quotas; whether it is in force is read on each call.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.limits.quotas import Quotas

REMEMBERED = 10_000
FILING_ENDS_AT = """CAST(party.filing_valid_until + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai'"""
"""SQL: the end of the last day of a client's filing; NULL without one."""


def agreement_json(client_id: str) -> str:
    """SQL of one jsonb object: the newest version of the agreement of this client, or NULL.

    It ends with its client's filing at the latest (R13).
    """
    return f"""(
    SELECT jsonb_build_object(
        'version', a.version, 'purposes', a.purposes, 'datasets', a.datasets,
        'questions', a.questions, 'retention_days', a.retention_days,
        'automated_decisions', a.automated_decisions, 'id_numbers', a.id_numbers,
        'valid_from', a.valid_from,
        'requires_signed_requests', a.signed_until IS NOT NULL,
        'valid_until', least(coalesce(a.signed_until, a.valid_until), {FILING_ENDS_AT}),
        'licensed_for_persons',
            party.kind <> 'agency' OR party.personal_credit_licence IS NOT NULL,
        'ended_at', a.ended_at)
    FROM agreement a JOIN client party ON party.client_id = a.client_id
    WHERE a.client_id = {client_id}
    ORDER BY a.version DESC LIMIT 1)"""  # noqa: S608  # constants only


AGREEMENT_JSON = agreement_json("CAST(:client_id AS text)")

QUOTAS = Statement("""
    SELECT quotas FROM agreement
    WHERE client_id = CAST(:client_id AS text) AND version = CAST(:version AS integer)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The newest version of a client's agreement (数字合约)."""

    version: int
    purposes: frozenset[str]
    datasets: frozenset[str]
    questions: frozenset[str]
    retention_days: int
    automated_decisions: bool | None
    id_numbers: str | None
    requires_signed_requests: bool
    valid_from: datetime
    valid_until: datetime
    ended_at: datetime | None
    licensed_for_persons: bool
    """Licence to personal data of operators of individual businesses (R13)."""

    def in_force(self, now: datetime) -> bool:
        """True if it is in force at `now`."""
        ended = self.ended_at is not None and self.ended_at <= now
        return self.valid_from <= now < self.valid_until and not ended

    def missing(
        self, *, purpose: str, datasets: Iterable[str] = (), questions: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """The names among these that the agreement does not cover."""
        outside = [f"purpose {purpose}"] if purpose not in self.purposes else []
        outside += [f"dataset {name}" for name in datasets if name not in self.datasets]
        outside += [f"question {name}" for name in questions if name not in self.questions]
        return tuple(outside)


def agreement_from_json(found: Mapping[str, Any] | None) -> Agreement | None:
    """The agreement in the object that `AGREEMENT_JSON` selects."""
    if found is None:
        return None
    ended = found["ended_at"]
    return Agreement(
        version=found["version"],
        purposes=frozenset(found["purposes"]),
        datasets=frozenset(found["datasets"]),
        questions=frozenset(found["questions"]),
        retention_days=found["retention_days"],
        automated_decisions=found["automated_decisions"],
        id_numbers=found["id_numbers"],
        requires_signed_requests=found["requires_signed_requests"],
        valid_from=datetime.fromisoformat(found["valid_from"]),
        valid_until=datetime.fromisoformat(found["valid_until"]),
        ended_at=datetime.fromisoformat(ended) if ended else None,
        licensed_for_persons=found["licensed_for_persons"],
    )


class AgreementCache:
    """Agreements last seen in force, by client, and the quotas of versions, each read once per process."""

    def __init__(self, database: HotDatabase) -> None:
        self._database = database
        self._seen: OrderedDict[tuple[str, int], Quotas] = OrderedDict()
        self._newest: dict[str, Agreement] = {}
        self._statuses: dict[str, str] = {}
        self._throttled: frozenset[str] = frozenset()
        self._percent = 100

    def remember(self, client_id: str, agreement: Agreement) -> None:
        """Remember the agreement that was in force when the client was last read."""
        self._newest[client_id] = agreement

    def remember_status(self, client_id: str, status: str) -> None:
        """Remember the JSON of the client's status when its call was last allowed."""
        self._statuses[client_id] = status

    def last_status(self, client_id: str) -> str | None:
        """The JSON of the client's status when its call was last allowed; it may be another since."""
        return self._statuses.get(client_id)

    def throttle(self, clients: frozenset[str], *, percent: int) -> None:
        """Lower the rates of these clients to a part of what was agreed, and of no others."""
        self._throttled, self._percent = clients, percent

    async def quotas_of(self, client_id: str, version: int) -> Quotas:
        """The quotas of a version, or of a newer one that was read since; lowered if throttled.

        A token names the version it was issued under, and may outlive it by minutes.
        """
        agreed = await self._agreed_quotas(client_id, version)
        return agreed.at_rate(self._percent) if client_id in self._throttled else agreed

    async def _agreed_quotas(self, client_id: str, version: int) -> Quotas:
        newest = self._newest.get(client_id)
        version = version if newest is None else max(version, newest.version)
        known = self._seen.get((client_id, version))
        if known is not None:
            return known
        row = await self._database.row(QUOTAS, {"client_id": client_id, "version": version})
        quotas = Quotas.from_json(orjson.loads(row["quotas"]) if row else {})
        self._seen[client_id, version] = quotas
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return quotas
