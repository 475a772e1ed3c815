"""Term of use of a disclosed record: exact where its severity is told, silent on it where it is not."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import DisclosableRecord, context_of, disclosable_fields
from gateway.creditfile.disclosure_terms import ALONE, FileContext
from gateway.creditfile.local_dates import end_of, midnight
from gateway.creditfile.records import Record, registration_of
from gateway.creditfile.use_term import Permission, UseTerm, use_term
from tests.creditfile_builders import CATALOGUE, NOON, make_enterprise, make_record
from tests.generated.disclosure_term_examples import NEVER, RULES, Example

FOR_EVER = midnight(date(2200, 1, 1))
EXAMPLES = [
    each
    for rule in RULES
    for each in rule.examples
    if each.last_day != NEVER and each.record.dataset in CATALOGUE.codes
]
SEVERITY = {"penalty": frozenset({"severity"})}


def term_of(
    record: Record,
    *,
    now: datetime = NOON,
    valid_until: datetime = FOR_EVER,
    retention_days: int = 0,
    withheld: dict[str, frozenset[str]] | None = None,
    catalogue: Catalogue = CATALOGUE,
    context: FileContext = ALONE,
) -> UseTerm:
    """The term of use of a record under a consent that outlasts everything."""
    permission = Permission(
        valid_until=valid_until,
        retention=timedelta(days=retention_days),
        withheld=withheld or {},
    )
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    disclosed = DisclosableRecord(
        record=record,
        fields={},
        counts_as_bad=False,
        end=disclosure_terms.first_end(record, dataset, rules, context),
    )
    return use_term(disclosed, permission, catalogue, now, context=context)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.en)
def test_a_worked_example_is_used_until_the_end_of_its_last_day(example: Example) -> None:
    """As on the page of examples, a second before its end too; else until the consent ends."""
    end = FOR_EVER if example.last_day is None else end_of(example.last_day)
    now = NOON if example.last_day is None else end - timedelta(seconds=1)
    assert term_of(example.record, now=now, context=example.context).use_until == end


def test_the_earlier_of_clock_and_consent_ends_the_use() -> None:
    """And the agreement's retention begins there."""
    record, clock = make_record(), end_of(date(2027, 8, 1))
    assert term_of(record).use_until == clock
    soon = NOON + timedelta(days=30)
    assert term_of(record, valid_until=soon).use_until == soon
    assert term_of(record, valid_until=soon).delete_by == soon
    kept = term_of(record, retention_days=10)
    assert (kept.use_until, kept.delete_by) == (clock, clock + timedelta(days=10))


def test_an_unknown_severity_does_not_show_in_the_term() -> None:
    """Serious, ordinary, or derived: the next end under any severity, step by step."""
    records = [make_record(severity=each) for each in ("轻微", "一般", "严重", None)]
    steps = [
        (date(2026, 9, 1), date(2026, 11, 1)),
        (date(2026, 12, 1), date(2027, 8, 1)),
        (date(2028, 1, 1), date(2029, 8, 1)),
    ]
    for today, last_day in steps:
        for record in records:
            term = term_of(record, now=midnight(today), withheld=SEVERITY)
            assert term.use_until == end_of(last_day)


def test_the_severity_of_a_related_penalty_does_not_show_in_the_term() -> None:
    """An inspection that led to a penalty: the next end under any severity, or its own."""
    inspection = make_record(
        "inspection",
        inspected_on="2026-10-01",
        result="不合格",
        related_document_number="浙市监罚〔2026〕0001号",
    )

    def term(severity: str, **changed: Any) -> datetime:
        penalty = make_record(
            record_id="rec_2",
            severity=severity,
            decided_on="2026-10-10",
            determined_on="2026-10-10",
            published_on="2026-10-10",
            **changed,
        )
        context = context_of((inspection, penalty), CATALOGUE, NOON)
        return term_of(inspection, withheld=SEVERITY, context=context).use_until

    shortest = end_of(date(2027, 1, 10))
    assert {term("一般"), term("严重"), term("轻微", publish_decided=True)} == {shortest}
    own = end_of(date(2027, 10, 1))
    assert term("轻微") == term("一般", appeal_state="under_appeal") == own, "it shows nowhere"


def test_an_unfulfilled_duty_does_not_show_in_the_term() -> None:
    """Where the authority's penalties stay public until it is fulfilled (class `government`)."""
    rules = CATALOGUE.rules_of("penalty")
    assert rules.publicity_by_severity is not None
    authority = "11330000002482000X"
    by_severity = rules.publicity_by_severity.model_copy(
        update={"unfulfilled_continue": (authority,)}
    )
    clocks = CATALOGUE.clocks | {
        "penalty": rules.model_copy(update={"publicity_by_severity": by_severity})
    }
    catalogue = CATALOGUE.model_copy(update={"clocks": clocks})
    terms = {
        term_of(make_record(authority_uscc=authority, fulfilled=each), catalogue=catalogue)
        for each in (False, True, None)
    }
    assert len(terms) == 1


def test_a_registration_is_used_until_the_consent_ends() -> None:
    """No clock ends it."""
    assert term_of(registration_of(make_enterprise())).use_until == FOR_EVER


SEVERITIES = st.sampled_from(["轻微", "一般", "严重", None])
DAYS = st.dates(date(2024, 1, 1), date(2026, 11, 22))


@st.composite
def penalties(draw: st.DrawFn) -> Record:
    """A penalty with its days in order."""
    decided = draw(DAYS)
    kinds = st.lists(
        st.sampled_from(["罚款", "警告", "没收", "停产停业", "通报批评"]), min_size=1, unique=True
    )
    return make_record(
        decided_on=f"{decided}",
        determined_on=f"{decided}",
        published_on=f"{decided + timedelta(days=draw(st.integers(0, 10)))}",
        kinds=draw(kinds),
        fine=draw(st.sampled_from([None, "0.100000", "0.900000", "5.000000"])),
        severity=draw(SEVERITIES),
        publish_decided=draw(st.sampled_from([True, False, None])),
    )


def told(record: Record, now: datetime) -> dict[str, Any]:
    """The fields that a client without the severity is told."""
    fields = disclosable_fields(record, Audience.AUTHORISED, CATALOGUE, now, kind="firm")
    fields.pop("severity", None)
    return fields


@given(record=penalties(), other=SEVERITIES, decided=st.booleans(), after=st.integers(0, 1_200))
def test_the_term_is_a_function_of_what_is_told_and_never_later_than_the_clock(
    record: Record, other: str | None, decided: bool, after: int
) -> None:
    """Whatever the severity, as long as the record is told at all; and it ends in the future."""
    assert record.decided_on is not None
    now = midnight(record.decided_on) + timedelta(days=after, hours=12)
    twin = replace(
        record, severity=other, fields={**record.fields, "publish_decided": decided or None}
    )
    if not told(record, now):
        return
    term = term_of(record, now=now, withheld=SEVERITY)
    dataset, rules = CATALOGUE.dataset("penalty"), CATALOGUE.rules_of("penalty")
    end = disclosure_terms.ends_at(record, dataset, rules)
    assert now < term.use_until <= (end or FOR_EVER)
    assert term_of(record, now=now).use_until == (end or FOR_EVER)
    if told(twin, now) == told(record, now):
        assert term == term_of(twin, now=now, withheld=SEVERITY)
