"""Pages of a query: of any size, one after another, they tell what a single page tells."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.records import Record
from gateway.queries.pagination import RecordOfPage, RecordPosition, page_of, position_of
from gateway.queries.withheld import DisclosedScope
from tests.creditfile_builders import CATALOGUE, make_record
from tests.properties.test_creditfile_rendered_disclosure import PROVINCE, RUNTIME, places
from tests.sampling import sampled

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PHONE = "联系电话 13812345678"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Parts of a request that its page depends on."""

    page_size: int
    cursor: Any = None

    def wants(self, record: Record) -> bool:
        """Every record."""
        return bool(record.record_id)


def page(
    place: int, records: tuple[Record, ...], size: int, after: RecordPosition | None
) -> tuple[tuple[RecordOfPage, ...], RecordPosition | None]:
    """The page behind a position, and the position behind which the next begins."""
    scope = DisclosedScope(
        disclosed=CATALOGUE.codes, reasons={}, unseen={}, unlicensed={}, unseparated={}
    )
    authorization = SimpleNamespace(
        enterprise=PROVINCE[place].enterprise,
        scope=scope,
        retention_days=30,
        granted=SimpleNamespace(valid_until=datetime(2100, 1, 1, tzinfo=UTC)),
    )
    ask = Ask(page_size=size, cursor=None if after is None else SimpleNamespace(after=after))
    inputs = SimpleNamespace(records=records)
    found = page_of(RUNTIME, cast("Any", ask), cast("Any", inputs), cast("Any", authorization), NOW)
    return found.records, found.last


@given(places, st.integers(1, 4), st.data())
@settings(max_examples=sampled(50, full=300), deadline=None)
def test_pages_of_any_size_tell_what_a_single_page_tells(
    place: int, size: int, data: st.DataObject
) -> None:
    """In the same order, however many of the records between are told to nobody, and masked alike."""
    change: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{}, {"withdrawn_at": NOW}, {"note": PHONE}]
    )
    records = []
    for each in PROVINCE[place].records:
        changed = data.draw(change)
        if "note" in changed:
            texts = {name: PHONE for name, value in each.fields.items() if name == "content"}
            records.append(replace(each, fields={**each.fields, **texts}))
        else:
            records.append(replace(each, **changed))
    whole, nothing = page(place, tuple(records), 10_000, None)
    assert nothing is None
    told: list[RecordOfPage] = []
    after = None
    while True:
        some, after = page(place, tuple(records), size, after)
        told += some
        if after is None:
            break
        assert len(some) == size
        assert after == position_of(some[-1].record)
    assert told == list(whole)
    assert "13812345678" not in repr([each.fields for each in told])


def test_months_without_a_day_of_decision_come_newest_first_from_page_to_page() -> None:
    """None is told twice or passed over, though their ids are in another order."""
    months = [f"2026-{month:02}" for month in range(1, 11)]
    held = tuple(
        make_record("tax_and_social", period=each, record_id=f"rec_{(7 * place) % 10}")
        for place, each in enumerate(months)
    )
    told: list[str | None] = []
    after = None
    while after is not None or not told:
        some, after = page(0, held, 3, after)
        told += [each.record.period for each in some if each.record.dataset == "tax_and_social"]
    assert told == months[::-1]
