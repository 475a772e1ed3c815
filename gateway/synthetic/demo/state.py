"""The demo's state folder: port, keys, accounts and database location, kept between runs.

The folder has mode 0700, the files with secrets 0600.
"""

import json
import os
import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from gateway.db import embedded
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.keys import new_key_file

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8420
SEED: Final = 20251122
OPERATOR: Final = "fang"
"""Who acts at the shell of a demo, unless XINQIAO_OPERATOR says who."""


class StateError(Exception):
    """The demo cannot use this folder or port; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoState:
    """The content of `state.json`."""

    port: int
    secret: str
    database_folder: str
    entities: int
    seed: int = SEED


class DemoFolder:
    """The state folder and its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kit = path / "kit.json"
        """The kit: credentials of all demo clients and subjects."""
        self.log = path / "gateway.log"
        self.tour_taken = path / "tour-taken"
        """Exists once the tour was completed."""
        self.people = path / "people.json"
        """The demo identity provider's accounts."""
        self.enterprises = path / "enterprises.csv"
        """Every enterprise of the province, one a line, to practise a bulk with."""
        self.signing_keys = path / "signing-keys.json"
        self.vault_keys = path / "vault-keys.json"
        self.operator = path / "operator.env"
        """Shell file with the settings to run `xinqiao-gateway` on this demo."""
        self._state = path / "state.json"
        self._checkpoints = path / "checkpoints"
        """The folder of the log's newest checkpoint."""
        self._spool = path / "spool"
        self._notices = path / "notices"

    @property
    def keeps_checkpoints(self) -> bool:
        """True if there are checkpoints; demos of earlier versions have none."""
        return self._checkpoints.exists()

    def forget_checkpoints(self) -> None:
        """Delete the checkpoints, for a new database."""
        shutil.rmtree(self._checkpoints, ignore_errors=True)

    def write_operator(self, settings: Settings) -> None:
        """Write the operator's shell file: all that the commands read, and where they are."""
        address = settings.database_url.replace("postgresql+asyncpg:", "postgresql:", 1)
        known = {
            "DATABASE_URL": address,
            "ISSUER": settings.issuer,
            "DEMO": "true",
            "SECRET": settings.secret.get_secret_value(),
            "SIGNING_KEYS": self.signing_keys.resolve(),
            "VAULT_KEYS": self.vault_keys.resolve(),
            "LOG_CHECKPOINTS": self._checkpoints.resolve(),
            "DEMO_PEOPLE": self.people.resolve(),
            "SPOOL": self._spool.resolve(),
            "NOTICES_FOLDER": self._notices.resolve(),
        }
        commands = shlex.quote(str(Path(sys.executable).parent))
        lines = [
            f"export PATH={commands}:$PATH\n",
            f"export XINQIAO_OPERATOR=${{XINQIAO_OPERATOR:-{OPERATOR}}}  # a second one: another name\n",
            *(
                f"export XINQIAO_{name}={shlex.quote(str(value))}\n"
                for name, value in known.items()
            ),
        ]
        write_private(self.operator, "".join(lines))

    def open_log(self) -> TextIO:
        """Open the gateway's log file (0600)."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self.log, flags, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)

    def open(self, *, port: int | None, entities: int) -> DemoState:
        """Load the state, or create it."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        if not self._state.exists():
            return self._begin(port=port, entities=entities)
        state = DemoState(**json.loads(self._state.read_text()))
        if port not in {None, state.port}:
            raise StateError(
                f"{self.path} was made for port {state.port}, and its issuer, codes and evidence hang "
                f"on that. Leave --port away, or choose another --state."
            )
        _require_free(state.port)
        return state

    def _begin(self, *, port: int | None, entities: int) -> DemoState:
        if any(self.path.iterdir()):
            raise StateError(f"{self.path} is not empty and no demo's. Choose another --state.")
        chosen = port or _free_port()
        _require_free(chosen)
        state = DemoState(
            port=chosen,
            secret=secrets.token_urlsafe(32),
            database_folder=str(embedded.new_folder(self.path.resolve())),
            entities=entities,
        )
        write_private(self.signing_keys, new_key_file())
        write_private(self.vault_keys, Vault.generate_keys())
        write_private(self.people, "[]")
        write_private(self._state, json.dumps(asdict(state), indent=1))
        return state

    def settings(self, state: DemoState, database_url: str) -> Settings:
        """The gateway's settings for this demo."""
        for folder in (self._checkpoints, self._spool):
            folder.mkdir(mode=0o700, exist_ok=True)
        return Settings.from_env(
            demo=True,
            issuer=f"http://{HOST}:{state.port}",
            database_url=database_url,
            secret=state.secret,
            signing_keys=self.signing_keys,
            vault_keys=self.vault_keys,
            log_checkpoints=(str(self._checkpoints.resolve()),),
            demo_people=self.people,
            spool=self._spool,
            notices_folder=self._notices,
            authority="示例省信用中心（演示）",
            authority_en="Example Province Credit Centre (demo)",
        )


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, with mode 0600."""
    with open_private(path) as file:
        file.write(text)


@contextmanager
def open_private(path: Path) -> Iterator[TextIO]:
    """A file to write, with mode 0600, that is there once the block has ended without an error."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_json(path: Path) -> Any:
    """Load a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _free_port() -> int:
    """The default port, or any free one."""
    for port in (DEFAULT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StateError("No port is free on this machine.")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StateError(
                f"Port {port} is taken, and this demo keeps its port. Stop what listens there "
                "(another demo?), or choose another --state."
            ) from None
