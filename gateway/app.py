"""Composition root: builds the FastAPI application, and starts its runtime and background work."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

import gateway.admin.routes
import gateway.changes.routes
import gateway.client_limits.routes
import gateway.codes.api.routes
import gateway.codes.portal.portal_pages
import gateway.codes.reports.routes
import gateway.codes.routes
import gateway.codes.screen.screen_pages
import gateway.consents.bundle_routes
import gateway.consents.routes
import gateway.credit_reports.portal_pages
import gateway.credit_reports.public_page
import gateway.log.routes
import gateway.oauth.routes
import gateway.portal.routes
import gateway.queries.outcomes.routes
import gateway.queries.routes
import gateway.records.job_routes
import gateway.records.objection_routes
import gateway.records.quality_routes
import gateway.records.repair_routes
import gateway.records.routes
import gateway.records.upload_routes
import gateway.verifications.batch.routes
import gateway.verifications.jobs.routes
import gateway.verifications.routes
import gateway.verifications.watches.routes
from gateway import api_docs, problems
from gateway.access.http.direct_route import DirectEndpoints, endpoints_of, page_at
from gateway.access.http.request_middleware import RequestMiddleware
from gateway.access.openapi.operations import complete_document
from gateway.background.anomaly_watch import watching_anomalies
from gateway.background.catalogue_reload import reloading
from gateway.background.housekeeping import housekeeping
from gateway.background.ingest_worker import ingesting
from gateway.background.job_runner import running_jobs
from gateway.background.notice_sender import sending_notices
from gateway.background.page_purges import purging_pages
from gateway.background.quality_counts import counting_quality
from gateway.background.scan_writer import counting_scans
from gateway.background.sequencing import sequencing
from gateway.background.watching import watching
from gateway.codes.scans.counter import ScanCounter
from gateway.fork_guard import ForkGuard, until_forked
from gateway.health import router as health
from gateway.http1.spelling import PathSpelling
from gateway.identity.demo_provider import DemoProvider
from gateway.identity.openid import OpenIdProvider
from gateway.open_runtime import close_runtime, open_runtime, utc_now
from gateway.runtime import Runtime
from gateway.settings import Settings, SettingsError

DESCRIPTION = """\
授权查询与核验 · Authorised query and verification of enterprise credit files.

Get a token at `/oauth/token` (`private_key_jwt`, DPoP), then call `/v1`. Every answer under `/v1`
is signed (RFC 9421) and bound to its request.
"""


def create_app(settings: Settings) -> FastAPI:
    """The gateway as an ASGI application; its connections open with its lifespan."""
    app = FastAPI(
        title="Xinqiao 信桥",
        description=DESCRIPTION,
        version="1",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # the handler's name
        redirect_slashes=False,  # a redirect would name whatever host the caller has written
        # It would look for exporters at each call, and tell them queries and errors with their texts.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in (  # matched in this order, by the beginnings of their paths (`PrefixRouter`)
        gateway.codes.reports.routes.router,  # before any id: its addresses cannot be ids
        gateway.codes.routes.router,
        gateway.verifications.routes.router,
        gateway.verifications.batch.routes.router,
        gateway.verifications.jobs.routes.router,
        gateway.oauth.routes.router,
        gateway.queries.routes.router,
        gateway.queries.outcomes.routes.router,
        gateway.consents.routes.router,
        gateway.consents.bundle_routes.router,
        gateway.changes.routes.router,
        gateway.verifications.watches.routes.router,
        gateway.client_limits.routes.router,
        gateway.admin.routes.router,
        gateway.records.objection_routes.router,
        gateway.records.repair_routes.router,
        gateway.records.routes.router,
        gateway.records.quality_routes.router,
        gateway.records.upload_routes.router,
        gateway.records.job_routes.router,
        gateway.portal.routes.router,
        gateway.log.routes.router,
        gateway.codes.api.routes.router,
        gateway.codes.portal.portal_pages.router,
        gateway.codes.screen.screen_pages.router,
        gateway.credit_reports.portal_pages.router,
        gateway.credit_reports.public_page.router,
        health,
    ):
        app.include_router(router)
    direct = endpoints_of(
        app,
        gateway.verifications.routes.verify,
        gateway.queries.routes.query,
        gateway.oauth.routes.issue_token,
    )
    page = page_at(app, gateway.codes.routes.SYMBOL_PATH, described=gateway.codes.routes.PAGE_PATH)
    api_docs.install(app)
    problems.install(app)
    app.add_middleware(DirectEndpoints, endpoints=direct, page=page, on_refusal=problems.refused)
    app.add_middleware(ForkGuard)
    app.add_middleware(PathSpelling)
    app.add_middleware(RequestMiddleware, on_fault=problems.fault)
    app.state.scan_counter = ScanCounter()
    if settings.identity_issuer is not None:
        app.state.identity_provider = OpenIdProvider(settings)
    elif settings.demo:
        provider = DemoProvider(settings, now=utc_now)
        app.state.identity_provider = provider
        app.include_router(provider.router)
    _describe_bodies(app)
    _check_endpoint_limits(app, settings)
    return app


def _check_endpoint_limits(app: FastAPI, settings: Settings) -> None:
    """Refuse a limit of an operation that is not there: it would limit nothing."""
    if not settings.endpoint_limits:
        return
    operations = {
        route.name for route in iter_route_contexts(app.router.routes) if route.name is not None
    }
    if unknown := sorted(settings.endpoint_limits.keys() - operations):
        raise SettingsError(
            f"XINQIAO_ENDPOINT_LIMITS names {unknown[0]}, which is no operation of /openapi.json."
        )


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = await open_runtime(settings)
        app.state.runtime = runtime
        try:
            async with until_forked(runtime.log_status, lambda: _background(app, settings)):
                yield
        finally:
            await close_runtime(runtime)

    return lifespan


@asynccontextmanager
async def _background(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """The background work of one worker."""
    async with (
        reloading(app),
        sequencing(_runtime_of(app)),
        housekeeping(app),
        sending_notices(app),
        ingesting(settings, lambda: _runtime_of(app)),
        running_jobs(lambda: _runtime_of(app)),
        counting_scans(app),
        counting_quality(app),
        purging_pages(app),
        watching_anomalies(app),
        watching(app),
    ):
        yield


def _runtime_of(app: FastAPI) -> Runtime:
    """The application's current runtime, which a catalogue reload replaces."""
    runtime: Runtime = app.state.runtime
    return runtime


def _describe_bodies(app: FastAPI) -> None:
    """Complete the OpenAPI document by `access.openapi`."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete_document(generate(), problems.by_code())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it
