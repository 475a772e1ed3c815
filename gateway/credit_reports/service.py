"""The stories of own credit reports: preview, make, take back, see whether one holds, open it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.credit_reports import store
from gateway.credit_reports.document import (
    Choice,
    canonical,
    needed_datasets,
    report_of,
    reported_records,
    signed_file,
)
from gateway.credit_reports.ids import report_id_of
from gateway.credit_reports.model import (
    DISSOLVED,
    MOST_A_DAY,
    MOST_LIVING,
    ReportRefusal,
    ReportState,
    StoredReport,
)
from gateway.credit_reports.standing import state_of
from gateway.creditfile.records import Enterprise
from gateway.db.locks import LockNamespace, lock_named
from gateway.disclosure.commit import commit_within
from gateway.disclosure.ids import new_id
from gateway.disclosure.items import DisclosedItem
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.privacy.field_encryption import Vault
from gateway.runtime import Runtime
from gateway.transparency.disclosure_leaf import Disclosure

PURPOSE: Final = "own_report"
_TABLE: Final = "credit_report"
_MOVING: Final = frozenset({"report_id", "address", "created", "as_of", "valid_until"})
"""Members of a report that differ from one making to the next."""
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A report as it would be made now."""

    report: Mapping[str, Any]
    enterprise: Enterprise

    @property
    def digest(self) -> str:
        """Digest of what a reader would see, without times."""
        shown = {name: value for name, value in self.report.items() if name not in _MOVING}
        terms = ("use_until", "delete_by")
        records = [
            {name: value for name, value in each.items() if name not in terms}
            for each in shown["records"]
        ]
        return hashlib.sha256(canonical(shown | {"records": records})).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Author of an act: a person, with the digest of the sign-in's ID token."""

    actor: str
    token_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A report with its state at a moment; `report` and `file` are there while it is shown."""

    stored: StoredReport
    state: ReportState
    moment: datetime
    number: str
    """Secret number in the report's address: it gives access to the report."""
    recipient: str | None
    name: str
    """The enterprise's registered name now; its code, if it has none."""
    kind: str
    report: Mapping[str, Any] | None = None
    file: bytes = b""


class ChangingError(Exception):
    """The records of a report change faster than it can be opened."""


async def draft(
    connection: AsyncConnection, runtime: Runtime, uscc: str, choice: Choice, number: str
) -> Draft | None:
    """The report that would be made of this choice now; `None` without the enterprise."""
    catalogue, now = runtime.catalogue, runtime.now()
    enterprise, records = await store.read_whole_file(
        connection, uscc, needed_datasets(catalogue, choice.datasets)
    )
    if enterprise is None:
        return None
    told = reported_records(enterprise, records, choice, catalogue, now)
    report = report_of(
        number, enterprise, told, choice, catalogue, issuer=runtime.settings.issuer, now=now
    )
    return Draft(report=report, enterprise=enterprise)


async def make_report(
    connection: AsyncConnection, runtime: Runtime, made: Draft, choice: Choice, author: Author
) -> StoredReport | ReportRefusal:
    """Sign and store a report; one of the same number that was made before is returned as it is."""
    uscc, number, now = made.enterprise.uscc, made.report["report_id"], runtime.now()
    report_id = report_id_of(number)
    await lock_named(connection, LockNamespace.CREDIT_REPORTS, uscc)
    before = await store.find_report(connection, report_id)
    if before is not None:
        return before
    if made.enterprise.status in DISSOLVED:
        return ReportRefusal.DISSOLVED
    counts = await store.count_reports(connection, uscc, now=now)
    if counts.living >= MOST_LIVING:
        return ReportRefusal.TOO_MANY
    if counts.made_today >= MOST_A_DAY:
        return ReportRefusal.TOO_MANY_TODAY
    file = signed_file(made.report, runtime.keys.current("response", now))
    report = StoredReport(
        uscc=uscc,
        report_id=report_id,
        number=_seal(runtime.vault, number.encode(), "number", uscc, report_id),
        recipient=None
        if choice.recipient is None
        else _seal(runtime.vault, choice.recipient.encode(), "recipient", uscc, report_id),
        file=_seal(runtime.vault, file, "file", uscc, report_id),
        digests=(hashlib.sha256(file).hexdigest(),),
        registration_status=made.enterprise.status,
        created_at=now,
        valid_until=choice.valid_until,
        taken_back_at=None,
    )
    await store.insert_report(
        connection, report, actor=author.actor, token_digest=author.token_digest
    )
    await note(connection, NoticeKind.CREDIT_REPORT_MADE, uscc, now=now)
    return report


async def look_at(connection: AsyncConnection, runtime: Runtime, stored: StoredReport) -> Standing:
    """The state of a report now, with its contents while they are shown."""
    now, catalogue = runtime.now(), runtime.catalogue
    end, file = stored.end_at(now), _open_file(runtime.vault, stored)
    report = orjson.loads(file)["report"] if file else None
    chosen = [] if end or report is None else report["datasets"]
    known = [each for each in chosen if catalogue.has_dataset(each)]
    needed = needed_datasets(catalogue, known) if known else []
    enterprise, records = await store.read_whole_file(connection, stored.uscc, needed)
    state = end or ReportState.EXPIRED
    if end is None and report is not None:
        state = state_of(report, stored, enterprise, records, catalogue, now)
    return Standing(
        stored=stored,
        state=state,
        moment=now,
        number=_open(runtime.vault, stored.number, "number", stored.uscc, stored.report_id),
        recipient=recipient_of(runtime.vault, stored.uscc, stored.report_id, stored.recipient),
        name=enterprise.name if enterprise else stored.uscc,
        kind=enterprise.kind if enterprise else "",
        report=report if state.is_shown else None,
        file=file if state.is_shown else b"",
    )


async def open_report(runtime: Runtime, number: str) -> Standing | None:
    """Open a report by its number and log the opening, before it is sent; `None` if unknown.

    One that is not shown any more tells its state, and nothing is written.
    """
    report_id = report_id_of(number)
    for _ in range(_ATTEMPTS):
        async with runtime.engine.connect() as connection:
            stored = await store.find_report(connection, report_id, locked=True)
            if stored is None:
                return None
            standing = await look_at(connection, runtime, stored)
            if standing.report is None:
                return standing
            opening, items = _opening(standing, standing.report)
            if await commit_within(connection, opening, items):
                await connection.commit()
                return standing
    raise ChangingError


def recipient_of(vault: Vault, uscc: str, report_id: str, sealed: bytes | None) -> str | None:
    """The recipient that the enterprise named, decrypted."""
    return None if sealed is None else _open(vault, sealed, "recipient", uscc, report_id)


def _open_file(vault: Vault, stored: StoredReport) -> bytes:
    """The signed document, decrypted; empty once it was deleted."""
    if stored.file is None:
        return b""
    row = _row(stored.uscc, stored.report_id)
    return vault.open(stored.file, table=_TABLE, column="file", row=row)


def _opening(
    standing: Standing, report: Mapping[str, Any]
) -> tuple[Disclosure, Sequence[DisclosedItem]]:
    """The disclosure of an opening, with the number of records of each dataset."""
    records = report["records"]
    disclosure = Disclosure(
        disclosure_id=new_id("dsc"),
        uscc=standing.stored.uscc,
        client_id=standing.stored.report_id,
        kind="report",
        outcome="told",
        purpose=PURPOSE,
        asked=list(report["datasets"]),
        relied_on=[(each["record_id"], each["version"]) for each in records],
        result_digest=hashlib.sha256(standing.file).digest(),
        at=standing.moment,
    )
    counts = dict.fromkeys(report["datasets"], 0)
    for each in records:
        counts[each["dataset"]] += 1
    return disclosure, [DisclosedItem(code=code, records=n) for code, n in counts.items()]


def _open(vault: Vault, sealed: bytes, column: str, uscc: str, report_id: str) -> str:
    return vault.open(sealed, table=_TABLE, column=column, row=_row(uscc, report_id)).decode()


def _seal(vault: Vault, plain: bytes, column: str, uscc: str, report_id: str) -> bytes:
    return vault.seal(plain, table=_TABLE, column=column, row=_row(uscc, report_id))


def _row(uscc: str, report_id: str) -> str:
    return f"{uscc}/{report_id}"
