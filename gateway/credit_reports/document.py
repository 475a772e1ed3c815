"""Signed document of an enterprise's own credit report. Pure.

What goes in is decided by the disclosure policy, for a client with the enterprise's consent, within the
datasets and the span that the enterprise chose. Whoever has the address can read it, so that of a
person it says what the public page says, masked as there, and nothing more (R8a).
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from gateway.access.serializers.record import record_json
from gateway.access.serializers.timestamps import format_time
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import SERIOUS_LIST, context_of, disclosable_records
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import (
    REGISTRATION,
    Enterprise,
    Record,
    newest_first,
    registration_of,
)
from gateway.creditfile.use_term import Permission, UseTerm, use_term
from gateway.pages.i18n import Translated
from gateway.signing.keys import Signer

TYPE: Final = "credit_report.v1"
LEFT_OUT: Final[Mapping[str, Translated]] = {
    "not_chosen": Translated(
        "本报告只含企业自行选定的类别和期间；未列入的类别和期间，不代表没有记录。",
        "The report holds only the kinds of records and the span that the enterprise chose; of others it "
        "says nothing.",
    ),
    "not_published": Translated(
        "依法不予公示、中止公示、正在复议诉讼或已修复的记录不在此列。",
        "Records that by law are not published, are suspended, under appeal or repaired are left out.",
    ),
    "personal": Translated(
        "自然人的个人信息按公开页面的口径隐去或不列。",
        "Personal data of natural persons is masked as on the public page, or left out.",
    ),
    "source_unavailable": Translated(
        "这些类别的数据来源暂不可用，有无记录未能查询。",
        "The sources of these kinds of records were unavailable, so that nothing is said of them.",
    ),
}
"""Sentences about what the report does not hold, by their codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The enterprise's choice: datasets, span, recipient and term of a report."""

    span_from: date
    span_to: date
    """Inclusive."""
    datasets: tuple[str, ...]
    recipient: str | None
    """Free text; `None`: any holder of the address."""
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRecord:
    """A record in the report, with its fields as shown and its term of use."""

    record: Record
    fields: Mapping[str, Any]
    term: UseTerm
    is_public: bool
    """The public sees each of these fields of it."""


def needed_datasets(catalogue: Catalogue, datasets: Sequence[str]) -> list[str]:
    """These datasets with those on which their disclosure depends."""
    others = [SERIOUS_LIST, *(other for _, other in catalogue.ending_with(datasets))]
    return [*dict.fromkeys((*datasets, *filter(catalogue.has_dataset, others)))]


def offered_datasets(catalogue: Catalogue, kind: str) -> tuple[str, ...]:
    """The datasets of which a report can show something, in the catalogue's order."""
    return tuple(code for code in catalogue.codes if shown_fields(catalogue, (code, kind)))


@derived_table
def shown_fields(catalogue: Catalogue, key: tuple[str, str]) -> tuple[str, ...]:
    """The fields of a dataset that a report can show, by the enterprise's kind."""
    code, kind = key
    public = {each.name for each in catalogue.fields_for(code, Audience.PUBLIC, kind)}
    closed = closed_fields(catalogue, key)
    told = (each.name for each in catalogue.fields_for(code, Audience.AUTHORISED, kind))
    return tuple(name for name in told if name not in closed or name in public)


@derived_table
def closed_fields(catalogue: Catalogue, key: tuple[str, str]) -> frozenset[str]:
    """The fields of a dataset that speak of a person: shown as on the public page, or not at all."""
    code, kind = key
    return frozenset(
        each.name
        for each in catalogue.fields_for(code, Audience.AUTHORISED, kind)
        if each.personal or each.separate_consent is not None
    )


def reported_records(
    enterprise: Enterprise,
    records: Iterable[Record],
    choice: Choice,
    catalogue: Catalogue,
    now: datetime,
) -> list[ReportedRecord]:
    """The records of the report, by dataset, newest first; `records` are those of `needed_datasets`.

    Nothing encrypted is read: it is of persons.
    """
    kind, held = enterprise.kind, (registration_of(enterprise), *records)
    context = context_of(held, catalogue, now)
    wanted = [each for each in held if _is_chosen(each, choice, catalogue, day_of(now))]
    told, public = (
        disclosable_records(wanted, audience, catalogue, now, kind=kind, context=context)
        for audience in (Audience.AUTHORISED, Audience.PUBLIC)
    )
    of_public = {each.record.record_id: each.fields for each in public}
    permission = Permission(
        valid_until=choice.valid_until,
        retention=timedelta(0),
        withheld={
            code: closed_fields(catalogue, (code, kind))
            - set(shown_fields(catalogue, (code, kind)))
            for code in choice.datasets
        },
    )
    found = []
    for each in told:
        closed = closed_fields(catalogue, (each.record.dataset, kind))
        in_public = of_public.get(each.record.record_id, {})
        fields = {
            name: in_public[name] if name in closed else value
            for name, value in each.fields.items()
            if name not in closed or name in in_public
        }
        if fields:
            term = use_term(each, permission, catalogue, now, context=context)
            is_public = fields.keys() <= in_public.keys()
            found.append(
                ReportedRecord(record=each.record, fields=fields, term=term, is_public=is_public)
            )
    place = catalogue.codes.index
    return sorted(found, key=lambda each: (place(each.record.dataset), newest_first(each.record)))


def report_of(
    report_id: str,
    enterprise: Enterprise,
    records: Sequence[ReportedRecord],
    choice: Choice,
    catalogue: Catalogue,
    *,
    issuer: str,
    now: datetime,
) -> dict[str, Any]:
    """The member `report` of the document."""
    found = {each.record.dataset for each in records}
    unavailable = [code for code in choice.datasets if code in enterprise.unavailable]
    return {
        "type": TYPE,
        "report_id": report_id,
        "issuer": issuer,
        "address": f"{issuer}/R/{report_id}",
        "enterprise": {"uscc": enterprise.uscc, "name": enterprise.name},
        "recipient": choice.recipient,
        "span": {"from": choice.span_from.isoformat(), "to": choice.span_to.isoformat()},
        "datasets": list(choice.datasets),
        "created": format_time(now),
        "as_of": format_time(now),
        "valid_until": format_time(choice.valid_until),
        "catalogue_version": catalogue.version,
        "records": [record_json(each.record, each.fields, each.term) for each in records],
        "nothing_found": [
            code for code in choice.datasets if code not in found and code not in unavailable
        ],
        "left_out": [*_left_out(choice, catalogue, unavailable)],
    }


def canonical(report: Mapping[str, Any]) -> bytes:
    """RFC 8785: keys are ASCII and numbers integers, so that sorting suffices."""
    return orjson.dumps(report, option=orjson.OPT_SORT_KEYS)


def signed_file(report: Mapping[str, Any], signer: Signer) -> bytes:
    """The signed document: Ed25519 over the canonical report."""
    signature = base64.urlsafe_b64encode(signer.sign(canonical(report))).decode().rstrip("=")
    return orjson.dumps({"report": report, "keyid": signer.kid, "signature": signature})


def is_of_state(catalogue: Catalogue, code: str) -> bool:
    """True for a dataset that says how things stand now, of whatever date: lists, ratings, registration."""
    rules = catalogue.rules_of(code)
    return (
        code == REGISTRATION
        or rules.until_removed
        or rules.until_valid_to
        or rules.latest_of is not None
    )


def _is_chosen(record: Record, choice: Choice, catalogue: Catalogue, today: date) -> bool:
    """True for a record of the chosen datasets that happened in the span, or says how things stand."""
    code = record.dataset
    if code not in choice.datasets or not catalogue.has_dataset(code):
        return False
    if is_of_state(catalogue, code):
        return True
    if catalogue.dataset(code).only_in_force and record.valid_to and record.valid_to >= today:
        return True
    first, last = choice.span_from.isoformat(), choice.span_to.isoformat()
    if record.decided_on is not None:
        return first <= record.decided_on.isoformat() <= last
    if record.period is not None:  # YYYY or YYYY-MM
        size = len(record.period)
        return first[:size] <= record.period <= last[:size]
    return True


def _left_out(
    choice: Choice, catalogue: Catalogue, unavailable: Sequence[str]
) -> Iterator[dict[str, Any]]:
    yield _sentence("not_chosen")
    published = [code for code in choice.datasets if catalogue.rules_of(code).has_publicity]
    if published:
        yield _sentence("not_published", published)
    yield _sentence("personal")
    if unavailable:
        yield _sentence("source_unavailable", unavailable)


def _sentence(code: str, datasets: Sequence[str] = ()) -> dict[str, Any]:
    """The sentence, with the datasets that it speaks of; without any it speaks of the whole report."""
    text = LEFT_OUT[code]
    return {"code": code, "zh": text.zh, "en": text.en, "datasets": list(datasets)}
