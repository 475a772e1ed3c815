"""Parts of the benchmark that measure one request each: verification, query, token, page."""

import asyncio

import uvloop

from tests.bench import breakdown, report, targets
from tests.bench.contenders import compare_queries, compare_tokens, compare_verifications
from tests.bench.goals import Outcomes
from tests.bench.latency import latencies_of, measure_latency
from tests.bench.options import QUERY_CONTENDERS, TOKEN_CONTENDERS, VERIFICATION_CONTENDERS
from tests.bench.page_paint import measure_paints
from tests.bench.pages import page_servers
from tests.bench.query_subjects import granted_queries
from tests.bench.servers import servers
from tests.bench.session import Session


def verification(session: Session) -> Outcomes:
    """Verifications beside the floor: rate, latency, and where the worker's time goes."""
    options, environment, console = session.options, session.environment, session.console
    with servers(environment, VERIFICATION_CONTENDERS) as running:
        comparison = compare_verifications(options, environment, running)
        results = session.race(comparison, running)
        latencies = latencies_of(results)
        for done in measure_latency(options, comparison, latencies):
            session.say(done)
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.verification_breakdown(environment, options.steps))
    report.show_rates(console, report.VERIFICATION_LINES, results, options)
    report.show_latencies(console, latencies)
    report.show_breakdown(console, "verification", found, results)
    return targets.of_verifications(results, latencies)


def query(session: Session) -> Outcomes:
    """Authorised queries of a full page of records beside the floor."""
    options, environment = session.options, session.environment
    bodies = asyncio.run(granted_queries(environment))
    session.say(f"consents of {len(bodies):,} enterprises granted")
    with servers(environment, QUERY_CONTENDERS) as running:
        comparison = compare_queries(options, environment, running, bodies)
        results = session.race(comparison, running)
    report.show_rates(session.console, report.QUERY_LINES, results, options)
    return targets.of_queries(results)


def token(session: Session) -> Outcomes:
    """Tokens beside node-oidc-provider, which keeps its own in memory or in PostgreSQL."""
    options, environment, console = session.options, session.environment, session.console
    with servers(environment, TOKEN_CONTENDERS) as running:
        results = session.race(compare_tokens(options, environment, running), running)
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.token_breakdown(environment, options.steps))
    report.show_rates(console, report.TOKEN_LINES, results, options)
    report.show_breakdown(console, "token", found, results)
    return targets.of_tokens(results)


def page(session: Session) -> Outcomes:
    """Pages of enterprise codes beside their bytes, and on a slow phone."""
    options, console = session.options, session.console
    with page_servers(options, session.environment) as served:
        results = session.race(served.comparison, served.running)
        with console.status("Painting in Chromium …"):
            paints = measure_paints(served.running, served.paths)
    report.show_rates(console, report.PAGE_LINES, results, options)
    report.show_paints(console, paints)
    return targets.of_pages(results, paints)
