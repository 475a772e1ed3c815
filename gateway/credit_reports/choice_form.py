"""Form in which an enterprise chooses what its report shows, to whom, and for how long. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from gateway.codes.sign_text import TextProblem, parse_printed_text
from gateway.credit_reports import labels
from gateway.credit_reports.document import Choice
from gateway.credit_reports.model import LONGEST_SPAN_YEARS
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from gateway.creditfile.local_dates import day_of, end_of, months_after
from gateway.creditfile.records import REGISTRATION
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated
from gateway.rfc3339 import parse_date

TERMS: Final = (7, 15, 30, 60, 90)
"""Days for which a report may be valid."""
USUAL_TERM: Final = 30
USUAL_SPAN_MONTHS: Final = 36
MAX_RECIPIENT: Final = 60
FORM_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class ChoiceProblem(NamedTuple):
    """A rejected form: the sentence about it, and the field that is meant."""

    text: Translated
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDataset:
    """A kind of records that can be ticked, with the number that the report would show now."""

    code: str
    name: Translated
    count: int
    is_public: bool
    tells_more: bool
    """The report would say more of these records than the public sees."""


def usual_fields(today: date, datasets: Sequence[str] = ()) -> Fields:
    """The fields of a new form: three years, thirty days, and these datasets."""
    return Fields(
        {
            "from": [earliest(today, USUAL_SPAN_MONTHS).isoformat()],
            "to": [today.isoformat()],
            "days": [str(USUAL_TERM)],
            "dataset": list(datasets),
        }
    )


def earliest(today: date, months: int = 12 * LONGEST_SPAN_YEARS) -> date:
    """The first day of a span of so many months that ends today."""
    return months_after(today, -months) + timedelta(days=1)


def preset(name: str, offered: Collection[OfferedDataset], catalogue: Catalogue) -> list[str]:
    """The datasets behind a link that ticks several: `standing` is what proves good standing."""
    if name == "standing":
        return [
            each.code
            for each in offered
            if each.code == REGISTRATION
            or (each.is_public and catalogue.dataset(each.code).page_part == "warning")
        ]
    return [each.code for each in offered if each.is_public] if name == "public" else []


def is_public(catalogue: Catalogue, code: str, kind: str) -> bool:
    """True for a dataset of which the public sees something, or would under a condition that can hold."""
    return any(
        each.disclosure is DisclosureClass.PUBLIC or (each.public_when and each.public_when.values)
        for each in catalogue.fields_for(code, Audience.PUBLIC, kind)
    )


def parse_choice(fields: Fields, offered: Collection[str], now: datetime) -> Choice | ChoiceProblem:
    """The choice in a posted form, or the first problem with it."""
    today = day_of(now)
    datasets = tuple(code for code in offered if code in fields.get("dataset", []))
    if not datasets:
        return ChoiceProblem(labels.NO_DATASET, f"dataset-{next(iter(offered), '')}")
    span = _span(fields, today)
    if span is None:
        return ChoiceProblem(labels.SPAN, "from")
    days = single_value(fields, "days")
    if days not in map(str, TERMS):
        return ChoiceProblem(labels.TERM, "days")
    recipient = parse_printed_text(
        single_value(fields, "recipient"), longest=MAX_RECIPIENT, today=today
    )
    if isinstance(recipient, TextProblem):
        return ChoiceProblem(labels.RECIPIENT, "recipient")
    return Choice(
        span_from=span[0],
        span_to=span[1],
        datasets=datasets,
        recipient=recipient or None,
        valid_until=end_of(today + timedelta(days=int(days))),
    )


def entered(fields: Fields) -> Mapping[str, str]:
    """The single values of a form, to be shown again."""
    return {name: single_value(fields, name) for name in ("from", "to", "days", "recipient")}


def _span(fields: Fields, today: date) -> tuple[date, date] | None:
    try:
        first, last = (parse_date(single_value(fields, name).strip()) for name in ("from", "to"))
    except ValueError:
        return None
    fits = first <= last <= today and first >= earliest(last)
    return (first, last) if fits else None
