"""Parsing of a query request, in full before anything about an enterprise is read."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consent import PURPOSES, Purpose
from gateway.access.errors import (
    InvalidRequestError,
    InvalidUsccError,
    Refusal,
    UnknownDatasetError,
    UnknownPurposeError,
)
from gateway.access.named_bundle import named_bundle
from gateway.access.refused_request import UNKNOWN, RefusedRequest
from gateway.access.subject_uscc import code_warnings
from gateway.clients.agreements import Agreement
from gateway.clients.bundles import BUNDLES
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import Record
from gateway.queries.cursor import Cursor, Cursors
from gateway.queries.schemas import QueryIn
from verification import NotACode

ORDER: Final = "days.v1"
"""Name of the order of a query's records; after a change no cursor of the former order is read."""
NOTHING: Final = "Mend these members: datasets: name at least one, or a bundle."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRequest:
    """A well-formed query."""

    uscc: str
    purpose: Purpose
    consent_id: str | None
    foreign_consent: bool
    """True where it names another consent than the one that the token is bound to."""
    bundle: str | None
    """The bundle that stood in place of datasets; of these only what the agreement covers is asked."""
    datasets: tuple[str, ...]
    decided_from: date | None
    decided_to: date | None
    page_size: int
    cursor: Cursor | None
    warnings: tuple[str, ...] = ()
    """On the code, from its characters alone."""

    def wants(self, record: Record) -> bool:
        """True where `record` passes the filter; a record without a date passes an empty filter only."""
        if self.decided_from is None and self.decided_to is None:
            return True
        if record.decided_on is None:
            return False
        early = self.decided_from is not None and record.decided_on < self.decided_from
        late = self.decided_to is not None and record.decided_on > self.decided_to
        return not early and not late

    def datasets_under(self, agreement: Agreement) -> tuple[str, ...]:
        """The datasets asked for; of a bundle those that the agreement covers."""
        if self.bundle is None:
            return self.datasets
        return BUNDLES[self.bundle].datasets_under(agreement)

    @property
    def digest(self) -> str:
        """Digest of what must stay the same from page to page."""
        asked = (self.uscc, self.purpose, self.datasets, self.decided_from, self.decided_to)
        same = (ORDER, *asked)
        return hashlib.sha256(repr(same).encode()).hexdigest()[:32]

    def refused(self, refusal: Refusal) -> RefusedRequest:
        """This request with its refusal, for the log."""
        return _refused(refusal, self.uscc, self.purpose, self.datasets)


def parse_request(
    body: QueryIn, catalogue: Catalogue, cursors: Cursors, *, token_consent: str | None
) -> QueryRequest | RefusedRequest | Refusal:
    """The request in a parsed body, or what is wrong with it."""
    code = body.enterprise.code
    if isinstance(code, NotACode):
        return Refusal(InvalidUsccError)
    uscc = code.uscc
    datasets = _datasets(body)
    if isinstance(datasets, Refusal):
        return datasets
    mistake = _mistake(body, datasets, uscc, catalogue)
    if mistake is not None:
        return mistake
    wanted = body.filter
    request = QueryRequest(
        uscc=uscc,
        purpose=Purpose(body.purpose),
        consent_id=token_consent or body.consent_id,
        foreign_consent=token_consent is not None and body.consent_id not in {None, token_consent},
        bundle=body.bundle,
        datasets=datasets,
        decided_from=wanted.decided_from,
        decided_to=wanted.decided_to,
        page_size=body.page.size,
        cursor=None,
        warnings=code_warnings(code),
    )
    return request if body.page.cursor is None else _continued(request, body.page.cursor, cursors)


def _mistake(
    body: QueryIn, datasets: tuple[str, ...], uscc: str, catalogue: Catalogue
) -> RefusedRequest | Refusal | None:
    """Problem with purpose, datasets or filter."""
    known = tuple(dict.fromkeys(each for each in datasets if each in catalogue.codes))
    if body.purpose not in PURPOSES:
        return _refused(Refusal(UnknownPurposeError), uscc, UNKNOWN, known)
    if not set(datasets) <= set(known):
        return _refused(Refusal(UnknownDatasetError), uscc, body.purpose, known)
    if len(set(datasets)) < len(datasets):
        return Refusal(InvalidRequestError, "Name each dataset once.")
    wanted = body.filter
    if wanted.decided_from and wanted.decided_to and wanted.decided_from > wanted.decided_to:
        return Refusal(InvalidRequestError, "filter.decided_from is later than filter.decided_to.")
    return None


def _datasets(body: QueryIn) -> tuple[str, ...] | Refusal:
    """The datasets that are named, or those of the bundle that is."""
    if body.bundle is None:
        return tuple(body.datasets) if body.datasets else Refusal(InvalidRequestError, NOTHING)
    bundle = named_bundle(body.bundle, purpose=body.purpose, beside=body.datasets or ())
    return bundle if isinstance(bundle, Refusal) else bundle.datasets


def _continued(request: QueryRequest, text: str, cursors: Cursors) -> QueryRequest | Refusal:
    cursor = cursors.read(text)
    if cursor is None or cursor.ask != request.digest:
        return Refusal(
            InvalidRequestError,
            "page.cursor is not from this query, or older than 15 minutes; begin at the first page.",
        )
    return replace(request, cursor=cursor)


def _refused(refusal: Refusal, uscc: str, purpose: str, asked: tuple[str, ...]) -> RefusedRequest:
    return RefusedRequest(refusal=refusal, uscc=uscc, kind="query", purpose=purpose, asked=asked)
