"""Offline verification of an enterprise's own credit report (专项信用报告), from its JSON file or its PDF.

Checks, in this order:

1. of a PDF: its last line signs every byte before it, by a trusted response key that had not retired when
   the report was made; the report is attached
2. the file is `report`, `keyid` and `signature`, and nothing else, in compact JSON: with no other byte
3. `signature` is one of the canonical bytes of `report`, by a trusted response key in force at `created`
4. it is a report, of the issuer that was pinned, with its page on that issuer, and not of the future

What is trusted begins outside the file: keys that were pinned, or fetched from the issuer by TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from xinqiao._core.signatures.keys import Jwks, KeySet, ResponseKey, read_file
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.wire import parsing
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.results import LogPromise, Record
from xinqiao._core.wire.serialization import (
    ReadOnlyDict,
    Serializable,
    canonical_json,
    compact_json,
)
from xinqiao._core.wire.strict import parse_base64url, parse_date, parse_json
from xinqiao.errors import EvidenceInvalid, ProtocolError

from .report_pdf import PDF, read_signed_pdf

TYPE: Final = "credit_report.v1"
_MEMBERS: Final = frozenset({"report", "keyid", "signature"})
#: Tolerated clock skew of a report's time in the future.
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut(Serializable):
    """A sentence on what the report does not hold; of these datasets, or without any of all."""

    code: str
    zh: str
    en: str
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditReport(Serializable):
    """A verified report: what an enterprise had the gateway tell about itself, as of `as_of`.

    Whether it still holds, only its page can say, and `report_status`.
    """

    report_id: str
    issuer: str
    address: str
    """The report's page, behind its QR code."""
    uscc: str
    name: str
    recipient: str | None
    """For whom it was made; None for whoever has it."""
    span_from: date
    span_to: date
    datasets: tuple[str, ...]
    """What the enterprise chose."""
    created: datetime
    as_of: datetime
    valid_until: datetime
    catalogue_version: str
    records: tuple[Record, ...]
    nothing_found: tuple[str, ...]
    """Datasets that were looked up, with no record that is shown."""
    left_out: tuple[LeftOut, ...]
    log_promise: LogPromise | None
    keyid: str
    document: Mapping[str, Any] = field(repr=False, compare=False)
    """The signed document."""

    def has_expired(self, now: datetime | None = None) -> bool:
        """True if its term is over; it may have been taken back before."""
        return (now or datetime.now(UTC)) >= self.valid_until


def verify_report(
    source: bytes | str | Path | Mapping[str, Any],
    *,
    keys: Jwks | KeySet,
    issuer: str | None = None,
    now: datetime | None = None,
) -> CreditReport:
    """Verify a credit report offline, against keys obtained separately (`fetch_keys`, or a file).

    `source` is the report's file as it was issued, JSON or PDF: its bytes, its path, or the JSON as a text
    or a mapping. Of the PDF every byte is verified, and the report within it. `issuer`: the gateway
    from which a report must be. Raises `EvidenceInvalid` with a sentence that says what differs.
    """
    trusted = KeySet.read(keys)
    document, pdf_key = _read_source(source, trusted)
    latest = (now or datetime.now(UTC)) + _SKEW
    report, key = _check_signature(document, trusted)
    verified = _parse(report, key.kid, document)
    _check_claims(verified, key, issuer=issuer, latest=latest)
    if pdf_key is not None and pdf_key.retired_at and verified.created >= pdf_key.retired_at:
        raise EvidenceInvalid(
            f"The key {pdf_key.kid} had retired when the PDF's report was made.", reason="key"
        )
    return verified


def _read_source(
    source: bytes | str | Path | Mapping[str, Any], keys: KeySet
) -> tuple[dict[str, Any], ResponseKey | None]:
    """The document, and of a PDF the key that signed it."""
    data, pdf_key = _bytes_of(source), None
    if data.startswith(PDF):
        data, pdf_key = read_signed_pdf(data, keys)
    try:
        document = parse_json(data)
    except ValueError as error:
        raise EvidenceInvalid(
            f"The file is no credit report: it is neither a PDF nor JSON ({error}).",
            reason="malformed",
        ) from None
    if not isinstance(document, dict) or document.keys() != _MEMBERS:
        raise EvidenceInvalid(
            "The file lacks a part of a credit report, or holds what nobody has signed.",
            reason="malformed",
        )
    if compact_json(document) != data.removesuffix(b"\n"):
        raise EvidenceInvalid(
            "The file is not written as the gateway writes a report: take the original.",
            reason="malformed",
        )
    return document, pdf_key


def _bytes_of(source: bytes | str | Path | Mapping[str, Any]) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Mapping):
        return _written(source)
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source.encode("utf-8", "replace")
    return read_file(source, "report")


def _written(document: Mapping[str, Any]) -> bytes:
    try:
        return compact_json(document)
    except (TypeError, ValueError, RecursionError):
        raise EvidenceInvalid("The report holds what is no JSON.", reason="malformed") from None


def _check_signature(
    document: Mapping[str, Any], keys: KeySet
) -> tuple[dict[str, Any], ResponseKey]:
    """The report and the trusted key that signed it."""
    report, kid, signature = (document[each] for each in ("report", "keyid", "signature"))
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise EvidenceInvalid(f"The key {kid} is not among the trusted keys.", reason="key")
    try:
        key.public.verify(parse_base64url(f"{signature}"), canonical_json(report))
    except (InvalidSignature, ValueError):
        raise EvidenceInvalid(
            "The report is not what the gateway signed.", reason="signature"
        ) from None
    return report, key


def _check_claims(
    report: CreditReport, key: ResponseKey, *, issuer: str | None, latest: datetime
) -> None:
    if issuer is not None and report.issuer != issuer.rstrip("/"):
        raise EvidenceInvalid(
            f"The report is of another gateway, {report.issuer}.", reason="components"
        )
    if report.address != f"{report.issuer}/R/{report.report_id}":
        raise EvidenceInvalid("The report's page is not on its issuer.", reason="components")
    if report.created > latest:
        raise EvidenceInvalid("The report was made in the future.", reason="created")
    if not key.in_force(report.created.replace(microsecond=0)):
        raise EvidenceInvalid(
            f"The key {key.kid} was not in force when the report was made.", reason="key"
        )


def _parse(report: Mapping[str, Any], kid: str, document: Mapping[str, Any]) -> CreditReport:
    body = Reader.of(report, "the report")
    if body.text("type") != TYPE:
        raise EvidenceInvalid(f"This is no report of the form {TYPE}.", reason="malformed")
    enterprise, span = body.object("enterprise"), body.object("span")
    return CreditReport(
        report_id=body.text("report_id"),
        issuer=body.text("issuer"),
        address=body.text("address"),
        uscc=enterprise.text("uscc"),
        name=enterprise.text("name"),
        recipient=body.optional_text("recipient"),
        span_from=_day(span, "from"),
        span_to=_day(span, "to"),
        datasets=body.texts("datasets"),
        created=utc_time(body.time("created").timestamp()),
        as_of=body.time("as_of"),
        valid_until=body.time("valid_until"),
        catalogue_version=body.text("catalogue_version"),
        records=parsing.records(body),
        nothing_found=body.texts("nothing_found"),
        left_out=tuple(_left_out(item) for item in body.objects("left_out")),
        log_promise=parsing.read_log_promise(body),
        keyid=kid,
        document=ReadOnlyDict(document),
    )


def _left_out(item: Reader) -> LeftOut:
    return LeftOut(
        code=item.text("code"),
        zh=item.text("zh"),
        en=item.text("en"),
        datasets=item.texts("datasets"),
    )


def _day(span: Reader, name: str) -> date:
    try:
        return parse_date(span.text(name))
    except ValueError:
        raise ProtocolError(f"In the report, the span's {name!r} is not a day.") from None
