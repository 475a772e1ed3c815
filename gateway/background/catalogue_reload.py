"""A catalogue that comes into force reaches each worker within seconds, without a restart.

Requests hold the runtime that they began with, so none is answered by two catalogues. A catalogue
that this release cannot read changes nothing: the one before it goes on counting, and the log says so.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

import structlog
from fastapi import FastAPI

from gateway.creditfile.catalogue import Catalogue, CatalogueError, load_catalogue
from gateway.creditfile.catalogue_versions import newest_version, version_document
from gateway.db.prepared import HotDatabase
from gateway.db.unavailable import name_of
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.background.catalogue_reload")

EVERY_SECONDS: Final = 1.0


async def catalogue_in_force(hot: HotDatabase) -> Catalogue:
    """What a worker begins with; `CatalogueError` where it cannot be read."""
    version = await newest_version(hot)
    if version is None:
        return load_catalogue()
    return await asyncio.to_thread(load_catalogue, await version_document(hot, version))


@asynccontextmanager
async def reloading(app: FastAPI) -> AsyncIterator[None]:
    """Follow for as long as the block lasts."""
    task = asyncio.create_task(_for_ever(app))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def follow(app: FastAPI, refused: str | None = None) -> str | None:
    """Look once. Gives the version that could not be read, so that it is tried and told once only."""
    runtime: Runtime = app.state.runtime
    version = await newest_version(runtime.hot)
    if version is None or version in {runtime.catalogue.version, refused}:
        return refused
    document = await version_document(runtime.hot, version)
    try:
        catalogue = await asyncio.to_thread(load_catalogue, document)
    except CatalogueError as error:
        log.error("catalogue_unreadable", version=version, why=str(error)[:500])  # noqa: TRY400  # the sentence says it all
        return version
    app.state.runtime = replace(app.state.runtime, catalogue=catalogue)
    log.info("catalogue_in_force", version=version)
    return None


async def _for_ever(app: FastAPI) -> None:
    refused: str | None = None
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            refused = await follow(app, refused)
        except Exception as error:  # noqa: BLE001  # whatever it was, the next round tries again
            log.warning("following_failed", kind=name_of(error))
