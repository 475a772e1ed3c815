"""Catalogue reload: each worker switches to a new catalogue version within seconds, without a restart.

A request keeps the runtime that it began with, so that it uses one catalogue throughout. A version that
this release cannot read is logged and ignored; the one before it stays in force.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.background.periodic import in_background, run_periodically
from gateway.creditfile.catalogue import Catalogue, CatalogueError, load_catalogue
from gateway.creditfile.catalogue.versions import newest_version, version_document
from gateway.db.prepared import HotDatabase
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.catalogue_reload")

POLL_SECONDS: Final = 1.0


async def catalogue_in_force(hot: HotDatabase) -> Catalogue:
    """The catalogue in force at start; `CatalogueError` if it cannot be read."""
    version = await newest_version(hot)
    if version is None:
        return load_catalogue()
    return await asyncio.to_thread(load_catalogue, await version_document(hot, version))


def reloading(app: FastAPI) -> AbstractAsyncContextManager[None]:
    """Reload in the background for as long as the block lasts."""
    unreadable: str | None = None

    async def reload() -> None:
        nonlocal unreadable
        unreadable = await reload_catalogue(app, unreadable)

    failed = partial(log.warning, "following_failed")
    return in_background(run_periodically(reload, POLL_SECONDS, failed))


async def reload_catalogue(app: FastAPI, unreadable: str | None = None) -> str | None:
    """Switch to a new version; returns a version that could not be read, to be tried and logged once."""
    runtime: Runtime = app.state.runtime
    version = await newest_version(runtime.hot)
    if version is None or version in {runtime.catalogue.version, unreadable}:
        return unreadable
    document = await version_document(runtime.hot, version)
    try:
        catalogue = await asyncio.to_thread(load_catalogue, document)
    except CatalogueError as error:
        log.error("catalogue_unreadable", version=version, why=str(error)[:500])  # noqa: TRY400  # no traceback needed
        return version
    app.state.runtime = replace(app.state.runtime, catalogue=catalogue)
    log.info("catalogue_in_force", version=version)
    return None
