"""Consents of the client: asked for by link, read, awaited, listed, given up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.transport.idempotency import key_on_error
from xinqiao._core.wire import parsing
from xinqiao._core.wire.closed_lists import BundleName, ConsentStatus, Purpose, QuestionTag
from xinqiao._core.wire.dates import term_text
from xinqiao._core.wire.results import Consent, ConsentRequest, Consents
from xinqiao._core.wire.uscc import log_mistyped
from xinqiao.errors import ConfigurationError, ProtocolError

from .bundles import check_alone
from .request_body import names, without_empty

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

LONG_POLL_SECONDS: Final = 5
"""`wait` of one look at a consent."""


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
    ) | without_empty(amends=amends)
    with key_on_error(session, idempotency_key) as key:
        evidence = yield from call(
            session, "POST", "/v1/consents", scope="consents", body=wanted, idempotency_key=key
        )
        return parsing.consent_request(evidence)


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
    named = names(datasets, "datasets"), names(questions, "questions")
    check_alone(bundle, *(each or () for each in named))
    wanted = without_empty(
        enterprise=without_empty(uscc=uscc),
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


def _consent_path(consent_id: str) -> str:
    return f"/v1/consents/{quote(consent_id, safe='')}"
