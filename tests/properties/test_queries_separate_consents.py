"""Told ⊆ separately consented: queries of any enterprise under any set of separate consents (R8a)."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import Giver, Granted, Purpose, SeparateConsents
from gateway.clients.agreements import Agreement
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.records import Record
from gateway.creditfile.separate_consent import needed_separate_consents
from gateway.queries.pagination import page_of
from gateway.queries.withheld import DisclosedScope, scope_of, withheld
from tests.creditfile_builders import CATALOGUE
from tests.properties.test_creditfile_rendered_disclosure import ASK, PROVINCE, RUNTIME, places
from tests.sampling import sampled

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
AGREEMENT = Agreement(
    version=1,
    purposes=frozenset({Purpose.LOAN_APPROVAL}),
    datasets=frozenset(CATALOGUE.codes),
    questions=frozenset(),
    retention_days=0,
    automated_decisions=None,
    id_numbers=None,
    requires_signed_requests=False,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2100, 1, 1, tzinfo=UTC),
    ended_at=None,
    licensed_for_persons=True,
)


def scope_under(given_ones: SeparateConsents, kind: str) -> DisclosedScope:
    """Scope disclosed under a consent to every dataset with these separate consents."""
    granted = Granted(
        consent_id="cst_a",
        version=2,
        datasets=CATALOGUE.codes,
        questions=(),
        valid_until=datetime(2100, 1, 1, tzinfo=UTC),
        uses_left=None,
        separate_consents=given_ones,
    )
    return scope_of(
        CATALOGUE.codes,
        agreement=AGREEMENT,
        granted=granted,
        purpose=Purpose.LOAN_APPROVAL,
        catalogue=CATALOGUE,
        unavailable=(),
        kind=kind,
    )


def told(place: int, scope: DisclosedScope) -> dict[tuple[str, str], Record]:
    """Every field that a query tells, as record id and name, with its record."""
    held = PROVINCE[place]
    authorization = SimpleNamespace(
        enterprise=held.enterprise,
        scope=scope,
        retention_days=0,
        granted=SimpleNamespace(valid_until=datetime(2100, 1, 1, tzinfo=UTC)),
    )
    inputs = SimpleNamespace(records=held.records)
    page = page_of(RUNTIME, ASK, cast("Any", inputs), cast("Any", authorization), NOW)
    return {(r.record.record_id, name): r.record for r in page.records for name in r.fields}


@given(places, st.data())
@settings(max_examples=sampled(50, full=300))
def test_a_query_tells_no_field_without_the_separate_consent_that_it_needs(
    place: int, data: st.DataObject
) -> None:
    """What is lacking is in `withheld`; what needs none is told as under all of them."""
    kind = PROVINCE[place].enterprise.kind
    needed = needed_separate_consents(CATALOGUE.codes, (), CATALOGUE, kind)
    ticked = data.draw(st.sets(st.sampled_from([each.item for each in needed])))
    by_others = data.draw(st.booleans())  # an operator's own, given by a delegate, is none
    given_ones = tuple(
        type(each)(item=each.item, giver=Giver.ENTERPRISE if by_others else each.giver)
        for each in needed
        if each.item in ticked
    )
    missing = {
        each.item
        for each in needed
        if each.item not in ticked or (by_others and each.giver is Giver.PERSON)
    }
    scope = scope_under(given_ones, kind)
    fields = {
        (code, each.name): each
        for code in scope.disclosed
        for each in CATALOGUE.fields_for(code, Audience.AUTHORISED, kind)
    }
    everything, part = told(place, scope_under(needed, kind)), told(place, scope)
    left_out = {
        key
        for key, record in everything.items()
        if f"{record.dataset}.{key[1]}" in missing
        and fields[record.dataset, key[1]].needs_separate_consent(record.fields)
    }
    assert part.keys() == everything.keys() - left_out
    named = {
        f"{each['dataset']}.{name}"
        for each in withheld(scope, CATALOGUE)
        if each["reason"] == "not_in_consent"
        for name in cast("list[str]", each["fields"])
    }
    assert named == {each for each in missing if each.rpartition(".")[0] in scope.disclosed}
