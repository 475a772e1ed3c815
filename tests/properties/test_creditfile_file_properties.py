"""Disclosure of a whole file, for any state of its records, catalogue version and moment."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codes.public_page.summary import summary_of
from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.notices import EARLIER_CATALOGUES
from gateway.creditfile.disclosed_fields import mask_persons
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import (
    SERIOUS_LIST,
    context_of,
    disclosable_records,
    end_in_effect,
)
from gateway.creditfile.disclosure_terms import ends_at
from gateway.creditfile.file_changes import FileState, changes_between
from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.creditfile.records import Record
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE, NOON, make_enterprise, make_record
from tests.sampling import sampled

TODAY = date(2026, 11, 23)
PROVINCE = tuple(province(3, 120, today=TODAY, catalogue=CATALOGUE))
EARLIER = load_catalogue((EARLIER_CATALOGUES / "2026.1.yaml").read_text(encoding="utf-8"))
OTHERS = tuple(each for each in Audience if each is not Audience.ENTERPRISE)
INSTANT = timedelta(microseconds=1)
PENALTY = "浙市监罚〔2026〕0001号"

catalogues = st.sampled_from([EARLIER, CATALOGUE])
moments = st.datetimes(
    datetime(2018, 1, 1),  # noqa: DTZ001  # zoned below
    datetime(2032, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
days = st.dates(date(2018, 1, 1), date(2032, 1, 1))
marks: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "repaired_at": moments,
        "suspended_at": moments,
        "withdrawn_at": moments,
        "publicity_ends_on": days,
        "removed_on": days,
    },
)


@st.composite
def files(draw: st.DrawFn, now: datetime = NOON) -> FileState:
    """An enterprise of the province with some of its records changed, and some that depend on others."""
    of = draw(st.sampled_from(PROVINCE))
    own = {"uscc": of.enterprise.uscc}
    dependent = (
        make_record(SERIOUS_LIST, record_id="r1", added_on=f"{draw(days)}", **own),
        make_record(
            "commitment", record_id="r2", fulfilment="broken", committed_on=f"{draw(days)}"
        ),
        make_record(record_id="r3", document_number=PENALTY, **own),
        make_record(
            "inspection",
            record_id="r4",
            inspected_on=f"{draw(days)}",
            result="不合格",
            related_document_number=PENALTY,
            **own,
        ),
        make_record("public_rating", record_id="r5", date=f"{draw(days)}", **own),
    )
    records = [replace(each, **draw(marks)) for each in dependent]
    for each in of.records:
        is_changed = draw(st.booleans()) if len(records) < 9 else False
        records.append(replace(each, **draw(marks)) if is_changed else each)
    return FileState(enterprise=of.enterprise, records=records, catalogue=CATALOGUE, now=now)


def told(file: FileState, audience: Audience) -> dict[str, Mapping[str, Any]]:
    """Fields by record id."""
    kind = file.enterprise.kind
    found = disclosable_records(file.held.values(), audience, file.catalogue, file.now, kind=kind)
    return {each.record.record_id: each.fields for each in found}


def end_of(file: FileState, record: Record, now: datetime) -> datetime | None:
    """End of disclosure of a record, by what the file holds at that moment."""
    context = context_of(file.held.values(), file.catalogue, now)
    return ends_at(
        record,
        file.catalogue.dataset(record.dataset),
        file.catalogue.rules_of(record.dataset),
        context,
    )


@given(files(), catalogues, moments)
@settings(max_examples=sampled(30, full=400), deadline=None)
def test_the_public_page_is_part_of_a_query_and_that_of_the_record(
    file: FileState, catalogue: Catalogue, now: datetime
) -> None:
    """By record, field and value; the query is one under agreement and consent for everything."""
    file = replace(file, catalogue=catalogue, now=now)
    page = summary_of(file.enterprise, file.records, catalogue, now=now)
    query = told(file, Audience.AUTHORISED)
    shown = [(each.record.record_id, each.fields) for s in page.sections for each in s.records]
    for record_id, fields in (*shown, (file.enterprise.registration_id, page.registration)):
        for name, value in fields.items():
            assert value in (query[record_id][name], mask_persons(query[record_id][name]))
    for record_id, fields in query.items():
        assert set(fields) <= set(file.held[record_id].fields)


@given(files(), catalogues, moments)
@settings(max_examples=sampled(30, full=400), deadline=None)
def test_what_has_ended_is_told_to_its_enterprise_alone_with_the_reason(
    file: FileState, catalogue: Catalogue, now: datetime
) -> None:
    """After repair, suspension, withdrawal, or a list's or a clock's end; else to others too."""
    file = replace(file, catalogue=catalogue, now=now)
    context = context_of(file.held.values(), catalogue, now)
    own, others = told(file, Audience.ENTERPRISE), [told(file, each) for each in OTHERS]
    for record_id, record in file.held.items():
        if record.dataset not in catalogue.codes:
            assert record_id not in own
            continue
        is_ended = end_in_effect(record, catalogue, now, context=context) is not None
        reached = any(record_id in each for each in others)
        assert not (is_ended and reached)
        assert record_id in own or not reached
        acts = (record.repaired_at, record.suspended_at, record.withdrawn_at)
        is_acted_on = any(act is not None and act <= now for act in acts)
        is_removed = record.removed_on is not None and record.removed_on <= day_of(now)
        assert is_ended or not (is_acted_on or is_removed)


@given(files(), catalogues, moments)
@settings(max_examples=sampled(30, full=400), deadline=None)
def test_a_clock_ends_disclosure_at_midnight_in_shanghai(
    file: FileState, catalogue: Catalogue, now: datetime
) -> None:
    """Told until the last instant of its last day, and not at midnight."""
    file = replace(file, catalogue=catalogue, now=now)
    for record_id in sorted(told(file, Audience.AUTHORISED))[:8]:
        record = file.held[record_id]
        end = end_of(file, record, now)
        if end is None or end.year >= 2100:
            continue
        acts = {
            act
            for each in file.records
            for act in (each.repaired_at, each.suspended_at, each.withdrawn_at)
        }
        local = end.astimezone(SHANGHAI)
        assert end in acts or (local.hour, local.minute, local.second) == (0, 0, 0)
        assert record_id not in told(replace(file, now=end), Audience.AUTHORISED)
        before = replace(file, now=end - INSTANT)
        if end_of(before, record, before.now) == end and record.published_on is None:
            assert record_id in told(before, Audience.AUTHORISED)


@given(files(), marks, catalogues, st.data())
@settings(max_examples=sampled(30, full=400), deadline=None)
def test_what_ends_is_notified_and_what_is_told_again_was_announced(
    file: FileState, changed: Any, catalogue: Catalogue, data: st.DataObject
) -> None:
    """Between any two states: an act on one record, another catalogue, or both."""
    index = data.draw(st.integers(0, min(5, len(file.records) - 1)))
    records = list(file.records)
    records[index] = replace(records[index], **changed)
    after = replace(file, records=records, catalogue=catalogue)
    for first, second in ((file, after), (after, file)):
        kinds = {each.record.record_id: each for each in changes_between(first, second)}
        old, new = first.disclosed, second.disclosed
        assert {r for r, each in kinds.items() if each.kind == "record_ended"} == set(old) - set(
            new
        )
        assert {r for r, each in kinds.items() if each.kind == "record_reinstated"} == (
            set(new) - set(old)
        )
        for record_id in set(old) & set(new) - set(kinds):
            assert old[record_id] <= new[record_id]
            told_end, end = first.ends[record_id], second.ends[record_id]
            assert end is None or (told_end is not None and told_end <= end)


def test_the_repair_of_a_penalty_is_notified_for_the_inspection_that_led_to_it() -> None:
    """Both end at once."""
    inspection = make_record(
        "inspection", record_id="r4", result="不合格", related_document_number=PENALTY
    )
    penalty = make_record(record_id="r3", document_number=PENALTY)
    base = FileState(
        enterprise=make_enterprise(),
        records=[inspection, penalty],
        catalogue=CATALOGUE,
        now=NOON,
    )
    after = replace(base, records=[inspection, replace(penalty, repaired_at=NOON)])
    kinds = {each.record.record_id: each.kind for each in changes_between(base, after)}
    assert kinds == {"r4": "record_ended", "r3": "record_ended"}
