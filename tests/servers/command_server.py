"""Server that runs `xinqiao` and `xinqiao-gateway` in forks of a process that has imported both.

Importing costs seconds of CPU for each command; a fork costs milliseconds. Programs of the same
names hand over arguments, environment, folder and streams.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

from tests.waiting import PATIENCE

COMMANDS: Final = {
    "xinqiao-gateway": "gateway.cli.main:main",
    "xinqiao": "xinqiao.cli:main",
    "check-settings": "gateway.settings:Settings.from_env",
}
_IMPORTED: Final = ("gateway.app", "gateway.cli.main", "xinqiao.cli._app")
_PROGRAM: Final = """#!{python} -IS
import json, os, socket, sys
called = [{name!r}, *sys.argv[1:], dict(os.environ), os.getcwd()]
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [json.dumps(called).encode() + b"\\n"], [0, 1, 2])
    sys.exit(server.recv(1)[0])
"""


@contextlib.contextmanager
def command_server(folder: Path) -> Iterator[Path]:
    """Run a server inside the block; the folder with its programs."""
    address, programs = folder / "commands", folder / "bin"
    programs.mkdir()
    for name in COMMANDS:
        program = programs / name
        program.write_text(_PROGRAM.format(python=sys.executable, name=name, address=str(address)))
        program.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "tests.servers.command_server", str(address)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == b"ready\n"
        yield programs
    finally:
        server.kill()
        server.wait(PATIENCE)
        server.stdout.close()


def serve(address: str) -> NoReturn:
    """Run each command in a fork."""
    for each in _IMPORTED:
        importlib.import_module(each)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            caller, _ = listening.accept()
            with caller:
                if os.fork() == 0:
                    listening.close()
                    status = _run(caller)
                    caller.send(bytes([status]))
                    os._exit(status)


def _run(caller: socket.socket) -> int:
    """Exit status of the command that a program hands over."""
    told, streams, *_ = socket.recv_fds(caller, 1 << 16, 3)
    while not told.endswith(b"\n"):
        told += caller.recv(1 << 16)
    name, *arguments, environment, folder = json.loads(told)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [name, *arguments]
    threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
    module, _, path = COMMANDS[name].partition(":")
    command = importlib.import_module(module)
    for each in path.split("."):
        command = getattr(command, each)
    try:
        command()  # type: ignore[operator]  # an entry point
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter ends
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _end_with(caller: socket.socket) -> None:
    """End this process when the program that has handed over its command is killed."""
    if not caller.recv(1):
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    serve(sys.argv[1])
