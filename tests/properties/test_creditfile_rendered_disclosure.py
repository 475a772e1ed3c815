"""Rendered disclosure: public page ⊆ authorised query ⊆ record, for any state of the record."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codes.public_page.page_json import CodePage, code_document
from gateway.codes.public_page.summary import summary_of
from gateway.codes.store import Code
from gateway.creditfile.disclosed_fields import mask_persons
from gateway.creditfile.facts import facts_of
from gateway.creditfile.records import Record
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.queries.pagination import page_of, serialize_record
from gateway.queries.withheld import DisclosedScope
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE
from tests.sampling import sampled

PROVINCE = tuple(province(3, 150, today=date(2026, 11, 23), catalogue=CATALOGUE))
places = st.integers(0, len(PROVINCE) - 1)
RUNTIME: Any = SimpleNamespace(
    catalogue=CATALOGUE, vault=Vault(VaultKeys.parse(Vault.generate_keys()))
)
ASK: Any = SimpleNamespace(cursor=None, wants=lambda _: True, page_size=10_000)
CODE = Code(
    uscc="",
    code_id="A",
    sign_name="",
    check_phrase="",
    issued_at=datetime(2026, 1, 1, tzinfo=UTC),
)
moments = st.datetimes(datetime(2018, 1, 1), datetime(2035, 1, 1)).map(  # noqa: DTZ001  # set below
    lambda naive: naive.replace(tzinfo=UTC)
)
happenings = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("repaired_at", "suspended_at", "withdrawn_at", "objection_since"), moments
    ),
)


def shown(
    generated: SyntheticEnterprise, records: tuple[Record, ...], now: datetime
) -> dict[str, Any]:
    """Fields on the public page's JSON, by record."""
    summary = summary_of(generated.enterprise, records, CATALOGUE, now=now)
    document = code_document(CodePage(code=CODE, summary=summary))
    return {r["record_id"]: r for each in document["datasets"] for r in each["records"]}


def queried(
    generated: SyntheticEnterprise, records: tuple[Record, ...], now: datetime
) -> dict[str, Any]:
    """Fields in a query under a consent to everything, by record."""
    scope = DisclosedScope(
        disclosed=CATALOGUE.codes, reasons={}, unseen={}, unlicensed={}, unseparated={}
    )
    ground = SimpleNamespace(
        enterprise=generated.enterprise,
        scope=scope,
        retention_days=0,
        granted=SimpleNamespace(valid_until=datetime(2100, 1, 1, tzinfo=UTC)),
    )
    found = SimpleNamespace(records=records)
    page = page_of(RUNTIME, ASK, cast("Any", found), cast("Any", ground), now)
    assert all(now < each.term.use_until for each in page.records)
    return {each.record.record_id: serialize_record(each) for each in page.records}


@given(places, st.lists(happenings, max_size=4), moments)
@settings(max_examples=sampled(50, full=150))
def test_the_page_shows_no_more_than_a_query_and_a_query_no_more_than_there_is(
    place: int, happened: list[dict[str, Any]], now: datetime
) -> None:
    """By record and field; only masked names differ."""
    generated = PROVINCE[place]
    changes: list[dict[str, Any]] = [*happened, *({} for _ in generated.records)]
    records = tuple(
        replace(each, **change) for each, change in zip(generated.records, changes, strict=False)
    )
    held = {each.record_id: each for each in records}
    page, query = shown(generated, records, now), queried(generated, records, now)
    assert set(page) <= set(query) <= {*held, generated.enterprise.registration_id}
    for record_id, told in page.items():
        fields = query[record_id]["fields"]
        assert set(told["fields"]) <= set(fields)
        for name, value in told["fields"].items():
            assert value in (fields[name], mask_persons(fields[name]))
    for record_id, told in query.items():
        if record_id in held:
            assert set(told["fields"]) <= set(held[record_id].fields)


@given(places, moments, moments, st.sampled_from(("repaired_at", "suspended_at", "withdrawn_at")))
@settings(max_examples=sampled(50, full=150))
def test_after_repair_suspension_or_withdrawal_no_channel_tells_a_record(
    place: int, when: datetime, now: datetime, mark: str
) -> None:
    """Page, query, and the facts of questions."""
    generated = PROVINCE[place]
    change: dict[str, Any] = {mark: when}
    records = tuple(replace(each, **change) for each in generated.records)
    if now < when:
        return
    assert shown(generated, records, now) == {}
    assert set(queried(generated, records, now)) <= {generated.enterprise.registration_id}
    facts = facts_of(generated.enterprise, records, CATALOGUE, now)
    assert {each.record_id for each in facts.records} <= {generated.enterprise.registration_id}
