"""The demo command: embedded PostgreSQL, a synthetic province, the gateway, and a guided tour."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.app import create_app
from gateway.background.sequencing import publisher_of
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.rekey_records import refold_keys
from gateway.db import embedded
from gateway.db.engine import own_engine
from gateway.http1.server import SERVER_OPTIONS
from gateway.logging_setup import configure
from gateway.migrations.run import LaterReleaseError, upgrade
from gateway.open_runtime import close_runtime, open_runtime
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.settings import Settings
from gateway.synthetic.demo.callback_page import router as callback
from gateway.synthetic.demo.next_steps import print_next_steps
from gateway.synthetic.demo.seed import Kit, seed_demo
from gateway.synthetic.demo.state import HOST, DemoFolder, DemoState, StateError, read_json
from gateway.synthetic.load import Loaded
from gateway.synthetic.tour import TourFailedError, tour
from gateway.transparency.checkpoint_stores import StoreError
from gateway.transparency.rollback import LogForkedError

START_SECONDS = 15
TOUR_FAILED = 1
INTERRUPTED = 128 + signal.SIGINT


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The options of the command line."""

    folder: Path
    port: int | None
    entities: int
    once: bool
    tour: bool


def run_demo(demo: DemoOptions, console: Console) -> None:
    """Set up, serve, run the tour unless it was completed before, and keep serving unless `once`.

    However it ends, PostgreSQL is stopped, unless this process is killed.
    """
    began = time.monotonic()
    folder = DemoFolder(demo.folder)
    state = folder.open(port=demo.port, entities=demo.entities)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = None
    try:
        with console.status("PostgreSQL …"):
            data = Path(state.database_folder)
            server = embedded.start(data, anew=not folder.kit.exists())
        settings, fresh = _open_database(folder, state, server)
        configure(folder.open_log())
        asyncio.run(_serve(demo, folder, state, settings, console, fresh=fresh, began=began))
    except TourFailedError as error:
        console.print(f"[red]✗[/] The tour failed: {error}", highlight=False)
        console.print(f"The gateway's log: {folder.log}. `make demo TOUR=1` tries again.")
        console.print(
            "A province of an earlier release keeps its agreements: another STATE is a new one."
        )
        raise SystemExit(TOUR_FAILED) from None
    except KeyboardInterrupt:
        console.print("Interrupted before it was ready; the next start goes on. 尚未就绪即被中断。")
        raise SystemExit(INTERRUPTED) from None
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)  # pg_ctl would be interrupted too
        if server is not None:
            embedded.stop(server)
        console.print("Stopped. 已停止。")


def _open_database(
    folder: DemoFolder, state: DemoState, server: embedded.EmbeddedServer
) -> tuple[Settings, bool]:
    """Create or migrate the database; without a kit (an unfinished build) it is recreated."""
    fresh = not folder.kit.exists()
    if fresh:
        folder.forget_checkpoints()
    keeps = fresh or folder.keeps_checkpoints
    asyncio.run(embedded.ensure_database(server, anew=fresh))
    try:
        upgrade(server.url())
    except LaterReleaseError as error:
        raise StateError(f"{folder.path}: {error}") from None
    settings = folder.settings(state, server.url())
    folder.write_operator(settings)
    asyncio.run(_check_log(settings, keeps=keeps))
    asyncio.run(_rekey_records(settings))
    return settings, fresh


async def _rekey_records(settings: Settings) -> None:
    """Recompute natural keys of records from an earlier version."""
    vault = Vault(VaultKeys.parse(settings.vault_keys.read_text()))
    async with own_engine(settings) as engine:
        async with engine.connect() as connection:
            catalogue = await in_force(connection)
        async for _ in refold_keys(engine, vault, catalogue, now=datetime.now(UTC)):
            pass


async def _serve(
    demo: DemoOptions,
    folder: DemoFolder,
    state: DemoState,
    settings: Settings,
    console: Console,
    *,
    fresh: bool,
    began: float,
) -> None:
    kit = await _seed(folder, state, settings, console) if fresh else read_json(folder.kit)
    app = create_app(settings)
    app.include_router(callback)
    async with _serving(app, state.port, console) as serving:
        console.print(
            f"[green]✓[/] {'Built and s' if fresh else 'S'}erving at [bold]{settings.issuer}[/] "
            f"after {time.monotonic() - began:.1f} s"
        )
        if demo.once or demo.tour or not folder.tour_taken.exists():
            await _unless_stopped(serving, tour(kit, demo.folder, console))
            if not serving.done():
                folder.tour_taken.touch(mode=0o600)
        else:
            console.print(
                "No tour, since it spends uses and adds to the feeds: `make demo TOUR=1` takes it again."
            )
        if demo.once or serving.done():
            return
        print_next_steps(kit, folder, console)
        await serving


async def _unless_stopped(serving: asyncio.Task[None], work: Coroutine[Any, Any, None]) -> None:
    """Await work against the gateway, and give it up when the gateway is stopped."""
    doing = asyncio.create_task(work)
    await asyncio.wait({doing, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        doing.cancel()
        await asyncio.wait({doing})
    else:
        await doing


async def _check_log(settings: Settings, *, keeps: bool) -> None:
    """Compare the log with its checkpoint; `StateError` if the database was rolled back."""
    runtime = await open_runtime(settings)
    try:
        publisher = publisher_of(runtime)
        if not keeps:
            await publisher.adopt(await publisher.survey())
        await publisher.check()
    except (LogForkedError, StoreError) as error:
        raise StateError(str(error)) from None
    finally:
        await close_runtime(runtime)


async def _seed(folder: DemoFolder, state: DemoState, settings: Settings, console: Console) -> Kit:
    runtime = await open_runtime(settings)
    columns = (
        TextColumn("Building a synthetic province"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=state.entities)

            def on_progress(loaded: Loaded) -> None:
                progress.update(task, completed=loaded.enterprises)

            return await seed_demo(runtime, folder, state, on_progress)
    finally:
        await close_runtime(runtime)


class _Uvicorn(uvicorn.Server):
    """Uvicorn with our signal handling, so that PostgreSQL is stopped after the gateway."""

    def __init__(self, config: uvicorn.Config, console: Console) -> None:
        super().__init__(config)
        self._console = console

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down after open requests, and say so; the second time without waiting for them."""
        if not self.should_exit:
            self._console.print(
                "Stopping, after open requests; Ctrl-C again does not wait. 正在停止。"
            )
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Shut down at the first SIGINT or SIGTERM, without re-raising the signal."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, self.handle_exit, signum, None)
        yield


@contextlib.asynccontextmanager
async def _serving(app: FastAPI, port: int, console: Console) -> AsyncIterator[asyncio.Task[None]]:
    """Serve in this process; yields the task that serves until interrupted."""
    server = _Uvicorn(
        uvicorn.Config(
            app, host=HOST, port=port, log_level="warning", lifespan="on", **SERVER_OPTIONS
        ),
        console,
    )
    task = asyncio.create_task(server.serve())
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if task.done() or time.monotonic() > deadline:
            raise RuntimeError("The gateway did not start.")
        await asyncio.sleep(0.02)
    try:
        yield task
    finally:
        server.should_exit = True  # after open requests
        await task
