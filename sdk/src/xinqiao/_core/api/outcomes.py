"""Outcomes of applications, told to the enterprise beside the query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from xinqiao._core.evidence import receipts
from xinqiao._core.transport.api_call import call
from xinqiao._core.wire.closed_lists import ApplicationOutcome, OutcomeReason
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.parsing import read_log_promise
from xinqiao._core.wire.serialization import Serializable
from xinqiao.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

    from xinqiao._core.evidence.answer import Evidence
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.results import LogPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOutcome(Serializable):
    """The outcome of a query's application, as the enterprise sees it now."""

    disclosure_id: str
    outcome: str
    reasons: tuple[str, ...]
    told_at: datetime
    is_replacement: bool
    log_promise: LogPromise | None
    evidence: Evidence = field(repr=False, compare=False)


def tell_outcome(
    session: Session,
    disclosure_id: str,
    outcome: ApplicationOutcome,
    *,
    reasons: Iterable[OutcomeReason] = (),
) -> Flow[ToldOutcome]:
    """Tell the enterprise what became of the application for which you made a query.

    `disclosure_id` is the query's, of any of its pages. A refusal has one to five reasons. Within 90 days;
    the same told again changes nothing, another outcome replaces it once; a third is refused (`conflict`).
    """
    if isinstance(reasons, str):
        raise ConfigurationError("Give reasons as a list, not as one string.")
    path = f"/v1/queries/{quote(disclosure_id, safe='')}/outcome"
    body = {"outcome": outcome, "reasons": list(reasons)}
    evidence = yield from call(session, "PUT", path, scope="query", body=body)
    told = _told(evidence)
    leaf = f"{told.disclosure_id}-o{2 if told.is_replacement else 1}"
    receipts.remember_promise(session, leaf, told.log_promise, evidence)
    return told


def _told(evidence: Evidence) -> ToldOutcome:
    body = Reader.body(evidence)
    return ToldOutcome(
        disclosure_id=body.text("disclosure_id"),
        outcome=body.text("outcome"),
        reasons=body.texts("reasons"),
        told_at=body.time("told_at"),
        is_replacement=body.optional_object("replaced") is not None,
        log_promise=read_log_promise(body),
        evidence=evidence,
    )
