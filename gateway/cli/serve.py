"""`serve`: check all settings, then listen."""

import asyncio
import gc
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Final

import asyncpg
import structlog
import typer
import uvicorn
from sqlalchemy.exc import DBAPIError, ProgrammingError

from gateway.background.sequencing import publisher_of
from gateway.cli.huge_pages import collapse_heap
from gateway.cli.supervisor import FAILED, Supervisor
from gateway.db.clock import clock_sentence, seconds_ahead
from gateway.db.prepared import HotDatabase, certain
from gateway.db.statements import Statement
from gateway.db.unavailable import name_of
from gateway.health import PROBE_WRITE
from gateway.http1.server import SERVER_OPTIONS
from gateway.identity.demo_provider import DemoProvider
from gateway.identity.openid import OpenIdProvider
from gateway.limits.store_protocol import LimiterUnavailableError, LimitStore
from gateway.logging_setup import configure
from gateway.migrations.run import is_behind
from gateway.settings import Settings, SettingsError, unknown_variables
from gateway.signing.keys import KeysUnreadableError
from gateway.transparency.checkpoint_stores import StoreError
from gateway.transparency.rollback import LogForkedError

log = structlog.get_logger("gateway.serve")

WRONG_REDIS: Final = frozenset(
    {
        "AuthenticationError",
        "AuthenticationWrongNumberOfArgsError",
        "NoPermissionError",
        "RedisClusterException",
        "ResponseError",
    }
)
"""Errors that waiting does not mend. `ResponseError` itself: no such database, no cluster, an old version."""
WAITING_MENDS: Final = ("MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE", "TRYAGAIN")
"""First words of Redis errors that pass: full disk, missing replicas, a running script, resharding."""
GC_THRESHOLDS = (10_000, 20, 20)  # garbage collections of the three generations
NEWEST = Statement("SELECT version_num FROM alembic_version")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8420,
) -> None:
    """Serve with the settings in XINQIAO_… (see the documentation); TLS is the proxy's."""
    settings = Settings.from_env()
    asyncio.run(check_environment(settings))
    configure()
    if unknown := unknown_variables():
        log.warning("unknown_variables", names=unknown)
    config = uvicorn.Config(
        "gateway.cli.serve:application",
        factory=True,
        host=host,
        port=port,
        log_config=None,
        **SERVER_OPTIONS,
    )
    if settings.workers > 1:
        raise SystemExit(Supervisor(config=config, workers=settings.workers).run())
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(FAILED)


async def check_environment(settings: Settings) -> None:
    """Open every resource once; `SettingsError` says which is unusable."""
    from gateway.open_runtime import (  # slow to import, used by this command only
        close_runtime,
        open_runtime,
    )

    check_paths(settings)
    if settings.identity_issuer is not None:
        OpenIdProvider(settings)
    try:
        runtime = await open_runtime(settings)
        try:
            await _check_schema(runtime.hot)
            wrong_clock = clock_sentence(await seconds_ahead(runtime.hot))
            if wrong_clock is not None:
                raise SettingsError(wrong_clock)
            await runtime.hot.row(PROBE_WRITE, {})
            await check_limits(runtime.limiter)
            await publisher_of(runtime).check()
        finally:
            await close_runtime(runtime)
    except (KeysUnreadableError, LogForkedError, StoreError) as error:
        raise SettingsError(str(error)) from None
    except asyncpg.UndefinedTableError:
        raise SettingsError(
            "The database has no tables yet: run `xinqiao-gateway db upgrade`."
        ) from None
    except ProgrammingError:
        raise SettingsError(
            "The database lacks what this release needs: run `xinqiao-gateway db upgrade`."
        ) from None
    except asyncpg.ReadOnlySQLTransactionError:
        raise SettingsError(
            "The database at XINQIAO_DATABASE_URL takes no writes: it is a standby, or was set "
            "read-only. Name the primary, or wait until it is one."
        ) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as error:
        raise SettingsError(
            f"The database at XINQIAO_DATABASE_URL does not answer ({name_of(error)})."
        ) from None
    if settings.demo and settings.identity_issuer is None:
        DemoProvider(settings, now=lambda: datetime.now(UTC))


async def check_limits(store: LimitStore) -> None:
    """Refuse a Redis that will not serve a gateway of these settings; one that is away may come back."""
    try:
        await store.generation()
    except LimiterUnavailableError as error:
        why = type(error.__context__).__name__
        if why in WRONG_REDIS and not str(error.__context__).startswith(WAITING_MENDS):
            raise SettingsError(
                f"The Redis at XINQIAO_REDIS_URL refuses this gateway ({why}): look at the password, the "
                "number of the database, whether it is a cluster (redis+cluster://), and its version (≥ 7)."
            ) from None


def check_paths(settings: Settings) -> None:
    """Refuse optional paths that are set and cannot be used: they would fail call by call."""
    if settings.spool is not None and not (
        settings.spool.is_dir() and os.access(settings.spool, os.W_OK | os.X_OK)
    ):
        raise SettingsError(
            f"XINQIAO_SPOOL names {settings.spool}, which is no folder that the gateway can write to."
        )
    if settings.font is not None and not settings.font.is_file():
        raise SettingsError(f"XINQIAO_FONT names {settings.font}, which is no file.")


async def _check_schema(hot: HotDatabase) -> None:
    """Refuse the schema of an earlier release; a later one's serves this release too, for the change-over."""
    revision = certain(await hot.row(NEWEST, {}))["version_num"]
    if is_behind(revision):
        raise SettingsError(
            "The database's schema is of an earlier release: run `xinqiao-gateway db upgrade`."
        )


def application() -> object:
    """Application factory of one worker."""
    from gateway.app import create_app

    configure()
    app = create_app(Settings.from_env())
    # Long-lived objects need not be scanned again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    collapse_heap()
    return app
