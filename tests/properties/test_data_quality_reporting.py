"""Suppression of small counts (R16): what is published does not depend on the counts it hides."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.data_quality.figures import Count, DatasetFigures, Fault, FaultKind
from gateway.data_quality.reporting import exact, is_small, published
from gateway.data_quality.rules import published_rules
from gateway.data_quality.score import score_of
from tests.sampling import sampled

RULES = published_rules()
K = RULES.least_enterprises
FIELDS = RULES.rules_of("penalty").recommended
KINDS = [
    FaultKind(fault=Fault.LATE),
    *(FaultKind(fault=Fault.MISSING, field=each) for each in FIELDS),
    FaultKind(fault=Fault.CHECK_CHARACTER),
    FaultKind(fault=Fault.PUBLICITY_END),
]
EXAMPLES = settings(max_examples=sampled(150, full=5_000), deadline=None)


@st.composite
def parts(draw: st.DrawFn, enterprises: int) -> Count:
    """A part of records that are one each of so many enterprises; often a small or a nearly whole one."""
    small = st.integers(0, min(enterprises, K + 1))
    found = draw(
        st.one_of(small, small.map(lambda n: enterprises - n), st.integers(0, enterprises))
    )
    return Count(records=found, enterprises=found, others=enterprises - found)


@st.composite
def figures(draw: st.DrawFn) -> DatasetFigures:
    enterprises = draw(st.integers(0, 60))
    dated = draw(parts(enterprises))
    faults = {kind: draw(parts(enterprises)) for kind in KINDS}
    faults[KINDS[0]] = draw(parts(dated.records))
    objections = draw(st.integers(0, 30))
    faults[FaultKind(fault=Fault.UPHELD)] = draw(parts(objections))
    for fault in (Fault.ABSENT, Fault.DIFFERS):
        found = draw(st.integers(0, 2 * K))
        faults[FaultKind(fault=fault)] = Count(records=found, enterprises=found)
    rows = draw(st.integers(0, 60))
    faults[FaultKind(fault=Fault.REJECTED)] = draw(parts(rows))
    return DatasetFigures(
        dataset="penalty",
        received=Count(records=enterprises, enterprises=enterprises),
        dated=dated,
        decided=Count(records=objections, enterprises=objections),
        corrected=draw(parts(enterprises)),
        file_rows=rows,
        faults=faults,
    )


@given(figures(), st.data())
@EXAMPLES
def test_a_hidden_count_can_be_any_other_hidden_count(
    given_figures: DatasetFigures, data: st.DataObject
) -> None:
    """Whatever is published, sums and scores included, stays the same: no difference can undo it."""
    told = published(given_figures, K)
    if told is None:
        return
    changed = {
        kind: data.draw(_another(count)) if is_small(count, K) else count
        for kind, count in given_figures.faults.items()
    }
    again = published(replace(given_figures, faults=changed), K)
    assert again == told
    assert score_of([told], RULES) == score_of([again], RULES)


@st.composite
def _another(draw: st.DrawFn, count: Count) -> Count:
    """Another small count of the same whole, on the same side of it."""
    whole = count.records + count.others
    if count.enterprises < K:
        most = whole if count.others else K - 1  # a comparison's count is of no whole
        found = draw(st.integers(1, min(K - 1, most)))
    else:
        found = whole - draw(st.integers(1, min(K - 1, whole - K)))
    return Count(records=found, enterprises=found, others=whole - found)


@given(figures())
@EXAMPLES
def test_no_published_count_nor_the_rest_of_its_whole_is_small(
    given_figures: DatasetFigures,
) -> None:
    told = published(given_figures, K)
    if told is None:
        assert given_figures.received.enterprises < K
        return
    wholes = {Fault.LATE: told.dated, Fault.UPHELD: told.decided, Fault.REJECTED: told.file_rows}
    for kind, count in told.faults.items():
        whole = wholes.get(kind.fault, told.received)
        is_of_no_whole = kind.fault in {Fault.ABSENT, Fault.DIFFERS}
        for part in (count, 0 if is_of_no_whole else whole - count):
            assert part == 0 or part >= K, kind
    for count in (told.received, told.decided, told.corrected, told.file_rows):
        assert count == 0 or count >= K
    for part in (told.dated, told.received - told.dated):
        assert part == 0 or part >= K


@given(figures())
@EXAMPLES
def test_every_part_of_a_score_lies_between_none_and_full(given_figures: DatasetFigures) -> None:
    for told in (exact(given_figures), published(given_figures, K)):
        if told is not None:
            score = score_of([told], RULES)
            for points in (score.timely, score.complete, score.right, score.total):
                assert points is None or 0 <= points <= 100


def test_a_source_is_told_its_own_small_counts() -> None:
    late = FaultKind(fault=Fault.LATE)
    given_figures = DatasetFigures(
        dataset="penalty",
        received=Count(records=40, enterprises=30),
        dated=Count(records=40, enterprises=30),
        faults={late: Count(records=3, enterprises=2, others=29)},
    )
    told = published(given_figures, K)
    assert told is not None
    assert (exact(given_figures).faults[late], told.faults[late], late in told.hidden) == (
        3,
        0,
        True,
    )
    assert score_of([exact(given_figures)], RULES).timely == Decimal("92.5")
    assert score_of([told], RULES).timely == Decimal(100)
