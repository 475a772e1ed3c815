"""API methods of the SDK, one flow each: verify, query, consents, questions, any request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from xinqiao._core.evidence import receipts
from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call, make_headers, new_call, send_once
from xinqiao._core.transport.idempotency import key_on_error
from xinqiao._core.wire import parsing
from xinqiao._core.wire.closed_lists import BundleName, ConsentStatus, Purpose, QuestionTag
from xinqiao._core.wire.dates import day_text, term_text
from xinqiao._core.wire.questions import QuestionsAsked, question_pairs, verification_body
from xinqiao._core.wire.results import (
    Changes,
    Consent,
    ConsentRequest,
    Consents,
    QueryResult,
    Questions,
    Verification,
)
from xinqiao._core.wire.strict import parse_json
from xinqiao._core.wire.uscc import log_mistyped
from xinqiao.errors import ConfigurationError, ProtocolError

from .bundles import check_alone
from .id_numbers import encrypt_id_numbers

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

LONG_POLL_SECONDS: Final = 5
"""`wait` of one look at a consent."""
DETACHED: Final = (
    "A page that was stored has no client: read on with client.query(…, cursor=page.cursor)."
)


def verify(
    session: Session,
    uscc: str,
    *,
    purpose: Purpose,
    questions: QuestionsAsked = (),
    bundle: BundleName | None = None,
    idempotency_key: str | None = None,
) -> Flow[Verification]:
    """Ask yes/no questions about one enterprise.

    `questions` maps a question's tag to the value that is asserted (None where it takes none, of a
    group a mapping of its members), or lists tags and (tag, value) pairs, such as `three_elements(…)`.
    A `bundle` in their place asks those of its questions that the agreement covers.
    The same call with the same `idempotency_key` within 24 hours spends nothing again, in whatever
    process; without one a new key is made. Raises any `XinqiaoError`; its `idempotency_key` is the key.
    ID numbers are encrypted to the gateway's key, where it publishes one: no proxy and no evidence has them.
    """
    log_mistyped(uscc)
    pairs = question_pairs(questions)
    check_alone(bundle, pairs)
    with key_on_error(session, idempotency_key) as key:
        asked = yield from encrypt_id_numbers(session, uscc, pairs, key)
        body = verification_body(uscc, purpose, asked, bundle=bundle)
        evidence = yield from call(
            session, "POST", "/v1/verifications", scope="verify", body=body, idempotency_key=key
        )
        tags = tuple(tag for tag, _ in asked) if bundle is None else None
        result = parsing.verification(evidence, tags)
    receipts.remember_promise(session, result.disclosure_id, result.log_promise, evidence)
    return result


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
    named = _names(datasets, "datasets")
    check_alone(bundle, named or ())
    body = _without_empty(
        enterprise={"uscc": uscc},
        purpose=purpose,
        consent_id=consent_id,
        bundle=bundle,
        datasets=named,
        filter=_without_empty(
            decided_from=day_text(decided_from, "decided_from"),
            decided_to=day_text(decided_to, "decided_to"),
        ),
        page=_without_empty(size=page_size, cursor=cursor),
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


def consent(session: Session, consent_id: str) -> Flow[Consent]:
    """Read one consent of this client."""
    path = _consent_path(consent_id)
    return parsing.consent((yield from call(session, "GET", path, scope="consents")))


def await_decision(session: Session, consent_id: str, *, within: float = 120) -> Flow[Consent]:
    """Wait up to `within` seconds until the enterprise has answered a consent asked for by link.

    Returns the consent as it is then: with the status `requested` if there is no answer yet.
    """
    path = f"{_consent_path(consent_id)}?{urlencode({'wait': LONG_POLL_SECONDS})}"
    looks = max(1, ceil(within / LONG_POLL_SECONDS))
    while True:
        look = call(session, "GET", path, scope="consents", wait=LONG_POLL_SECONDS)
        found = parsing.consent((yield from look))
        looks -= 1
        if found.status != "requested" or not looks:
            return found


def consents(session: Session, *, status: ConsentStatus | None = None) -> Flow[Consents]:
    """List this client's consents, all or those of one status, whatever the number of pages."""
    pages: list[Evidence] = []
    cursors: list[str] = []
    while True:
        asked = ({"status": status} if status else {}) | ({"after": cursors[-1]} if cursors else {})
        path = "/v1/consents" + (f"?{urlencode(asked)}" if asked else "")
        page = yield from call(session, "GET", path, scope="consents")
        pages.append(page)
        after = parsing.next_consents(page)
        if after is None:
            return parsing.consents(tuple(pages))
        if after in cursors:
            raise ProtocolError("The list of consents leads back to a page that was read.")
        cursors.append(after)


def give_up_consent(session: Session, consent_id: str) -> Flow[Evidence]:
    """Give a consent up; it cannot be used again. Returns the evidence of it."""
    return (yield from call(session, "DELETE", _consent_path(consent_id), scope="consents"))


def request_consent(
    session: Session,
    uscc: str,
    *,
    purpose: Purpose,
    datasets: Iterable[str] = (),
    questions: Iterable[QuestionTag] = (),
    bundle: BundleName | None = None,
    valid_until: date | datetime | str | None = None,
    max_uses: int | None = None,
    amends: str | None = None,
    idempotency_key: str | None = None,
) -> Flow[ConsentRequest]:
    """Ask for a consent by link or QR code, where the enterprise is not at this browser.

    A `bundle` in the place of `datasets` and `questions` asks for what of it the agreement covers; the
    consent names what that is. `valid_until` is a time with its offset, or the last day (of China's time).
    `amends` is the id of a running consent that is to be changed in its place. `idempotency_key` is as in
    `verify`.
    """
    wanted = credit_data(
        uscc=uscc,
        purpose=purpose,
        datasets=datasets,
        questions=questions,
        bundle=bundle,
        valid_until=valid_until,
        max_uses=max_uses,
    ) | _without_empty(amends=amends)
    with key_on_error(session, idempotency_key) as key:
        evidence = yield from call(
            session, "POST", "/v1/consents", scope="consents", body=wanted, idempotency_key=key
        )
        return parsing.consent_request(evidence)


def changes(session: Session, *, after: str | None = None, wait: int = 0) -> Flow[Changes]:
    """Read the notices of this client's feed after a cursor, from the first if it is left out."""
    values = {"after": after} if after else {}
    query = urlencode(values | ({"wait": str(wait)} if wait else {}))
    path = "/v1/changes" + (f"?{query}" if query else "")
    return parsing.changes((yield from call(session, "GET", path, scope="changes", wait=wait)))


def acknowledge_changes(session: Session, cursor: str) -> Flow[Evidence]:
    """Acknowledge every notice up to a cursor, once you have acted on it. Returns the evidence."""
    return (
        yield from call(
            session,
            "POST",
            "/v1/changes/ack",
            scope="changes",
            body={"cursor": cursor},
            idempotent=True,
        )
    )


def questions(session: Session) -> Flow[Questions]:
    """Read the catalogue of questions."""
    return parsing.questions((yield from call(session, "GET", "/v1/questions", scope="verify")))


def request(
    session: Session,
    method: str,
    target: str,
    *,
    json: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    scope: str | None = None,
) -> Flow[Evidence]:
    """Call anything under the issuer's /v1 once and return the verified answer, any status.

    For what this version has no method for. `target` is a path or an address on the issuer.
    """
    body = content if content is not None else json
    made = new_call(session, method, target, scope=scope, body=body, headers=headers)
    return (yield from send_once(session, made))


def headers_for(
    session: Session,
    method: str,
    target: str,
    *,
    json: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    scope: str | None = None,
) -> Flow[Mapping[str, str]]:
    """Make the headers (token, proof, digest) with which another program can make one such call.

    They hold a token: whoever has them can make this call, once, within seconds.
    """
    body = content if content is not None else json
    made = new_call(session, method, target, scope=scope, body=body, headers=headers)
    return (yield from make_headers(session, made))


def credit_data(
    *,
    uscc: str | None,
    purpose: Purpose,
    datasets: Iterable[str],
    questions: Iterable[QuestionTag],
    bundle: BundleName | None,
    valid_until: date | datetime | str | None,
    max_uses: int | None,
) -> dict[str, Any]:
    """Build the `credit_data` authorization details of a consent request, without `type`."""
    log_mistyped(uscc)
    named = _names(datasets, "datasets"), _names(questions, "questions")
    check_alone(bundle, *(each or () for each in named))
    wanted = _without_empty(
        enterprise=_without_empty(uscc=uscc),
        purpose=purpose,
        bundle=bundle,
        datasets=named[0],
        questions=named[1],
        valid_until=term_text(valid_until, "valid_until"),
        max_uses=max_uses,
    )
    if not {"bundle", "datasets", "questions"} & set(wanted):
        raise ConfigurationError("A consent needs datasets or questions, or a bundle.")
    return wanted


def _without_empty(**members: Any) -> dict[str, Any]:
    """Members that are neither None nor empty objects."""
    return {name: value for name, value in members.items() if value is not None and value != {}}


def _names(values: Iterable[str], what: str) -> list[str] | None:
    if isinstance(values, str):
        raise ConfigurationError(f"Give {what} as a list, not as one string.")
    return list(values) or None


def _consent_path(consent_id: str) -> str:
    return f"/v1/consents/{quote(consent_id, safe='')}"
