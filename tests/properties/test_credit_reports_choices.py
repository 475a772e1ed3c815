"""Own credit reports over random enterprises and choices: what was chosen, while it holds."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.credit_reports.document import Choice, offered_datasets
from gateway.credit_reports.model import ReportState, StoredReport
from gateway.credit_reports.standing import state_of
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, is_disclosable
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import REGISTRATION, Record, registration_of
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from tests.credit_report_builders import NOW, TODAY, enterprises, make_report
from tests.creditfile_builders import CATALOGUE

made_enterprises = st.sampled_from(enterprises())


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    """Some datasets, a span of up to five years, a term of up to ninety days."""
    offered = offered_datasets(CATALOGUE, "firm")
    last = TODAY - timedelta(days=draw(st.integers(0, 400)))
    return Choice(
        span_from=last - timedelta(days=draw(st.integers(0, 1825))),
        span_to=last,
        datasets=tuple(draw(st.lists(st.sampled_from(offered), min_size=1, unique=True))),
        recipient=draw(st.none() | st.just("示例银行")),
        valid_until=midnight(TODAY + timedelta(days=draw(st.integers(1, 90)))),
    )


def stored(made: SyntheticEnterprise, choice: Choice) -> StoredReport:
    """The report as it would be stored."""
    return StoredReport(
        uscc=made.enterprise.uscc,
        report_id="rpt_a",
        number=b"sealed",
        recipient=None,
        file=b"sealed",
        digests=(),
        registration_status=made.enterprise.status,
        created_at=NOW,
        valid_until=choice.valid_until,
        taken_back_at=None,
    )


def is_outside(record: Record, choice: Choice) -> bool:
    """True for a record that happened outside the span."""
    return record.decided_on is not None and not (
        choice.span_from <= record.decided_on <= choice.span_to
    )


@given(made=made_enterprises, choice=choices())
def test_a_report_holds_what_was_chosen_and_may_be_told_and_no_more(
    made: SyntheticEnterprise, choice: Choice
) -> None:
    """Chosen datasets, own records that are disclosed now, fields of a class for others."""
    report = make_report(made.enterprise, made.records, choice)
    held = {each.record_id: each for each in (registration_of(made.enterprise), *made.records)}
    context = context_of(held.values(), CATALOGUE, NOW)
    kind = made.enterprise.kind
    for each in report["records"]:
        record = held[each["record_id"]]
        assert record.dataset == each["dataset"]
        assert record.dataset in choice.datasets
        assert is_disclosable(
            record, Audience.AUTHORISED, CATALOGUE, NOW, context=context, kind=kind
        )
        told = {field.name for field in CATALOGUE.fields_for(record.dataset, Audience.AUTHORISED)}
        assert each["fields"].keys() <= told
        rules = CATALOGUE.rules_of(record.dataset)
        if is_outside(record, choice) and record.dataset != REGISTRATION:
            is_state = rules.until_removed or rules.until_valid_to or rules.latest_of is not None
            assert is_state or CATALOGUE.dataset(record.dataset).only_in_force
    assert set(report["nothing_found"]) <= set(choice.datasets)
    assert not set(report["nothing_found"]) & {each["dataset"] for each in report["records"]}
    assert report["enterprise"] == {"uscc": made.enterprise.uscc, "name": made.enterprise.name}


@given(made=made_enterprises, other=made_enterprises, choice=choices())
def test_nothing_of_another_enterprise_is_in_it(
    made: SyntheticEnterprise, other: SyntheticEnterprise, choice: Choice
) -> None:
    """Every record and each text of it comes from the enterprise's own file."""
    report = make_report(made.enterprise, made.records, choice)
    own = {each.record_id for each in (registration_of(made.enterprise), *made.records)}
    foreign = {each.record_id for each in other.records} - own
    assert not foreign & {each["record_id"] for each in report["records"]}


@given(made=made_enterprises, choice=choices(), pick=st.integers(0))
def test_it_holds_until_a_record_in_it_changes(
    made: SyntheticEnterprise, choice: Choice, pick: int
) -> None:
    """Valid when it was made; changed by a new version, and by the loss, of any one record in it."""
    choice = replace(choice, span_to=TODAY)
    report = make_report(made.enterprise, made.records, choice)
    row, before = stored(made, choice), list(made.records)
    assert state_of(report, row, made.enterprise, before, CATALOGUE, NOW) is ReportState.VALID
    ids = sorted(each["record_id"] for each in report["records"])
    in_records = [each for each in before if each.record_id in ids]
    if in_records:
        one = in_records[pick % len(in_records)]
        newer = replace(one, version=one.version + 1)
        for after in (
            [newer if each is one else each for each in before],
            [each for each in before if each is not one],
        ):
            state = state_of(report, row, made.enterprise, after, CATALOGUE, NOW)
            assert state is ReportState.CHANGED


@given(made=made_enterprises, choice=choices(), days=st.integers(0, 400))
def test_what_is_shown_later_may_still_be_told_then(
    made: SyntheticEnterprise, choice: Choice, days: int
) -> None:
    """Whenever a report is shown, each record in it may be told at that moment."""
    report = make_report(made.enterprise, made.records, choice)
    later = midnight(TODAY + timedelta(days=days))
    row = stored(made, choice)
    state = row.end_at(later) or state_of(
        report, row, made.enterprise, made.records, CATALOGUE, later
    )
    if state.is_shown:
        held = (registration_of(made.enterprise), *made.records)
        context = context_of(held, CATALOGUE, later)
        shown = {each["record_id"] for each in report["records"]}
        for each in held:
            if each.record_id in shown:
                assert is_disclosable(
                    each,
                    Audience.AUTHORISED,
                    CATALOGUE,
                    later,
                    context=context,
                    kind=made.enterprise.kind,
                )
        assert later < choice.valid_until


def test_the_span_is_counted_in_days_of_both_ends() -> None:
    """The oracle above knows a record outside."""
    record = next(
        each for made in enterprises() for each in made.records if each.decided_on is not None
    )
    day = record.decided_on or date.min
    choice = Choice(
        span_from=day, span_to=day, datasets=("penalty",), recipient=None, valid_until=NOW
    )
    assert not is_outside(record, choice)
    assert is_outside(replace(record, decided_on=day - timedelta(days=1)), choice)
