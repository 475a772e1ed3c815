"""Marks of watched answers: over any file, none changes before the moment that is named with them."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.disclosure_policy import context_of
from gateway.creditfile.disclosure_terms import NEVER_DISCLOSED, turning_points
from gateway.creditfile.file_changes import FileState
from gateway.creditfile.watches.changed_files import WATCHABLE_DATASETS, context_datasets
from gateway.creditfile.watches.marks import LONGEST, WatchedFile, changed_questions
from gateway.signing.keyed_digests import KeyedDigests
from tests.creditfile_builders import CATALOGUE
from tests.properties.test_creditfile_file_properties import files, moments
from tests.sampling import sampled
from verification import QUESTIONS, is_watchable

TAGS = tuple(each.tag for each in QUESTIONS if is_watchable(each))
DATASETS = context_datasets(WATCHABLE_DATASETS, CATALOGUE)
DIGESTS = KeyedDigests("a secret of the tests, long enough for them")


def watched(file: FileState, now: datetime) -> WatchedFile:
    """The file as watches see it at a moment."""
    return WatchedFile(
        uscc=file.enterprise.uscc,
        enterprise=file.enterprise,
        records=[each for each in file.records if each.dataset in DATASETS],
        datasets=DATASETS,
        catalogue=CATALOGUE,
        digests=DIGESTS,
        now=now,
    )


def points_of(file: FileState, now: datetime) -> list[datetime]:
    """Moments at which its disclosure may change."""
    context = context_of(file.held.values(), CATALOGUE, now)
    return sorted(
        moment
        for each in file.held.values()
        if each.dataset in CATALOGUE.codes
        for moment in turning_points(
            each, CATALOGUE.dataset(each.dataset), CATALOGUE.rules_of(each.dataset), context
        )
        if NEVER_DISCLOSED < moment < datetime(2090, 1, 1, tzinfo=now.tzinfo)
    )


@given(
    files(), moments, st.integers(0, 10_000), st.timedeltas(timedelta(), LONGEST), st.floats(0, 1)
)
@settings(max_examples=sampled(60, full=2_000), deadline=None)
def test_no_mark_changes_before_its_moment(
    file: FileState, now: datetime, chosen: int, before: timedelta, part: float
) -> None:
    """Nor just before it; begun near a moment at which something ends."""
    if points := points_of(file, now):
        now = points[chosen % len(points)] - before
    first = watched(file, now)
    until = first.next_moment()
    assert now < until <= now + LONGEST
    marks = first.marks(TAGS, licensed_for_persons=True)
    for moment in (now + (until - now) * part, until - timedelta(microseconds=1)):
        if moment < until:
            later = watched(file, moment).marks(TAGS, licensed_for_persons=True)
            assert changed_questions(TAGS, marks, later) == ()


@given(files(), moments)
@settings(max_examples=sampled(20, full=500), deadline=None)
def test_marks_tell_nothing_apart(file: FileState, now: datetime) -> None:
    """Two enterprises with the same answers have different marks, and one has the same again."""
    one = watched(file, now)
    marks = one.marks(TAGS, licensed_for_persons=True)
    assert watched(file, now).marks(TAGS, licensed_for_persons=True) == marks
    other = replace(one, uscc="91330106MA2CXXXX16").marks(TAGS, licensed_for_persons=True)
    assert changed_questions(TAGS, marks, other) == TAGS
