"""Authorised queries: records that a consent allows, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xinqiao._core.evidence import receipts
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.transport.idempotency import key_on_error
from xinqiao._core.wire import parsing
from xinqiao._core.wire.closed_lists import BundleName, Purpose
from xinqiao._core.wire.dates import day_text
from xinqiao._core.wire.results import QueryResult
from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.uscc import log_mistyped

from .bundles import check_alone
from .request_body import names, without_empty

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

DETACHED: Final = (
    "A page that was stored has no client: read on with client.query(…, cursor=page.cursor)."
)


def query(
    session: Session,
    uscc: str,
    *,
    purpose: Purpose,
    datasets: Iterable[str] = (),
    bundle: BundleName | None = None,
    consent_id: str | None = None,
    decided_from: date | str | None = None,
    decided_to: date | str | None = None,
    page_size: int | None = None,
    cursor: str | None = None,
    idempotency_key: str | None = None,
) -> Flow[QueryResult]:
    """Read the records that a consent allows; the first page, or the page at `cursor`.

    A `bundle` in the place of `datasets` asks for those of its datasets that the agreement covers; the
    result's `bundle_datasets` names them. A query and all its pages are one use of the consent.
    `decided_from` and `decided_to` are days. `idempotency_key` is as in `verify`; the pages that follow
    get keys of their own. Raises `NotAvailable` or a `ConsentError` where nothing may be disclosed, or any
    `XinqiaoError`.
    """
    log_mistyped(uscc)
    named = names(datasets, "datasets")
    check_alone(bundle, named or ())
    body = without_empty(
        enterprise={"uscc": uscc},
        purpose=purpose,
        consent_id=consent_id,
        bundle=bundle,
        datasets=named,
        filter=without_empty(
            decided_from=day_text(decided_from, "decided_from"),
            decided_to=day_text(decided_to, "decided_to"),
        ),
        page=without_empty(size=page_size, cursor=cursor),
    )
    return (yield from _query_page(session, body, idempotency_key))


def next_page(session: Session, page: QueryResult) -> Flow[QueryResult]:
    """Read the page that follows: the same query, which the page's evidence holds, at its cursor."""
    body = parse_json(page.evidence.exchange.request_body)
    body["page"] = {**body.get("page", {}), "cursor": page.cursor}
    return (yield from _query_page(session, body))


def _query_page(
    session: Session, body: Mapping[str, Any], idempotency_key: str | None = None
) -> Flow[QueryResult]:
    with key_on_error(session, idempotency_key) as key:
        evidence = yield from call(
            session, "POST", "/v1/queries", scope="query", body=body, idempotency_key=key
        )
        result = parsing.query_result(evidence)
    receipts.remember_promise(session, result.disclosure_id, result.log_promise, evidence)
    return result
