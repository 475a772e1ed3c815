"""Parts of the benchmark that take minutes each: look-ups, ingest, drawing, and long or wide loads."""

from tests.bench import report, targets
from tests.bench.batches import measure_batches
from tests.bench.disclosures import measure_disclosures
from tests.bench.endurance import measure_endurance
from tests.bench.goals import Outcomes
from tests.bench.ingest import measure_ingest
from tests.bench.lookups import measure_lookups
from tests.bench.session import Session
from tests.bench.sheets import measure_sheets
from tests.bench.timing import measure_timing
from tests.bench.watches import measure_watches


def batch(session: Session) -> Outcomes:
    """A batch of verifications beside single calls and a bare join."""
    return targets.of_batches(measure_batches(session.options, session.environment, session.say))


def timing(session: Session) -> Outcomes:
    """Answers that must take equally long, by Welch's t."""
    return targets.of_timing(measure_timing(session.options, session.environment, session.say))


def watch(session: Session) -> Outcomes:
    """Batches of records that many clients watch."""
    rounds, environment = session.options.rounds, session.environment
    return targets.of_watches(measure_watches(rounds, environment, session.say))


def lookup(session: Session) -> Outcomes:
    """Look-ups by USCC in a small and in a large database."""
    found = measure_lookups(session.options, session.environment, session.say)
    report.show_lookups(session.console, found)
    return targets.of_lookups(found)


def ingest(session: Session) -> Outcomes:
    """A province's files beside a bare COPY of their rows."""
    found = measure_ingest(session.options, session.environment, session.say)
    report.show_ingest(session.console, found)
    return targets.of_ingest(found, session.options.province)


def codes(session: Session) -> Outcomes:
    """Bulk drawing of stickers beside bare `qrcode`."""
    found = measure_sheets(session.options, session.say)
    report.show_sheets(session.console, found)
    return targets.of_drawings(found)


def memory(session: Session) -> Outcomes:
    """A worker's memory after many minutes of verifications."""
    return targets.of_endurance(
        measure_endurance(session.options, session.environment, session.say)
    )


def workers(session: Session) -> Outcomes:
    """Disclosures of several workers together."""
    return targets.of_disclosures(
        measure_disclosures(session.options, session.environment, session.say)
    )
