"""Runner of a documentation page's blocks, in order: one shell, one Python namespace, one folder.

What stands for something else is replaced: an id cut short (`cst_…`) by the newest one that the page printed,
an address or folder of production by the test's. A block of output is compared with what the block before it
in the same section printed; ids and times may differ.
"""

import contextlib
import io
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from tests.docs.blocks import Block
from tests.docs.pages import ROOT

SHELL: Final = frozenset({"sh", "bash", "console"})
PYTHON: Final = frozenset({"python", "py"})
OUTPUT: Final = frozenset({"json", "csv", "text", ""})
SECONDS: Final = 120.0
"""After so long a block is ended."""
_PREFIX: Final = r"\b((?:act|chg|cst|del|dsc|obj|prp|rec|rep|upl)_)"
_ID: Final = re.compile(_PREFIX + r"\w+")
_CUT_ID: Final = re.compile(_PREFIX + r"\w*…")
_VARIES: Final = re.compile(
    _PREFIX + r"\w*…?|\b[0-9a-f]{24}\b|\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+\d\d:\d\d)"
)
_SETTINGS: Final = re.compile(
    r"(?:(?:export )?(?:\s*XINQIAO_\w+=(?:'[^']*'|\"[^\"]*\"|\S+))+(?:\s*#.*)?\n)+"
)
_USAGE: Final = re.compile(r"\A\"\"\".*Usage: python (\S+)(.*)\"\"\"")


class BlockFailedError(AssertionError):
    """A block did not do what its page says."""


class EndOfBlock(Exception):  # no error
    """Raised by a stand-in to leave a block that would go on for ever."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """A page's shell and namespace; `before` are acts of others, by what the block after them contains."""

    folder: Path
    environment: Mapping[str, str]
    names: dict[str, Any]
    replaced: Mapping[str, str]
    before: dict[str, Callable[["Runner"], object]]
    is_valid: Callable[[Any], bool]
    run_sql: Callable[[str], None]
    printed: str = ""
    _last: Block | None = None
    _output: str = ""
    _shell: subprocess.Popen[str] = field(init=False)
    _errors: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        self._errors = (self.folder / ".errors").open("w+b")
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        self.shell("set -euo pipefail")

    def close(self) -> None:
        """End the shell and whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        for stream in (self._shell.stdin, self._shell.stdout, self._errors):
            assert stream is not None
            stream.close()

    def run(self, block: Block) -> None:
        """Run a block; a failure names its page and line."""
        try:
            for text in [each for each in self.before if each in block.code]:
                with contextlib.chdir(self.folder):
                    self.before.pop(text)(self)
            self._run(block)
        except Exception as error:  # noqa: BLE001  # named by its place
            where = f"{block.page.relative_to(ROOT)}:{block.line}"
            told = "" if isinstance(error, BlockFailedError) else f"\n{traceback.format_exc()}"
            raise BlockFailedError(f"{where}: {error}\n{block.code}{told}") from None

    def shell(self, code: str) -> str:
        """Output of a piece of shell; an error where a command fails."""
        script, answer = self.folder / ".block.sh", self.folder / ".yes"
        script.write_text(self._real(code), encoding="utf-8")
        answer.write_text("y\n" * 9)
        end = f"end-{secrets.token_hex(8)}"
        stdin, stdout = self._shell.stdin, self._shell.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f". ./.block.sh <.yes; echo; echo {end}\n")
        stdin.flush()
        lines = list[str]()
        with _time_limit(self._shell):
            for line in stdout:
                if line.strip() == end:
                    break
                lines.append(line)
            else:
                told = "".join(lines) + (self.folder / ".errors").read_text(encoding="utf-8")
                raise BlockFailedError(f"it ended with {self._shell.wait()}:\n{told}")
        output = "".join(lines).removesuffix("\n")
        self.printed += output
        return output

    def _run(self, block: Block) -> None:
        last, self._last = self._last, block
        if block.language in SHELL:
            self._output = self._run_shell(block.code)
        elif block.language in PYTHON:
            self._output = self._run_python(block)
        elif block.language == "sql":
            self.run_sql(block.code)
        elif block.language == "ini":  # postgresql.conf
            settings = re.sub(r"#.*", "", block.code).strip().splitlines()
            lines = (each.partition("=") for each in settings)
            self.run_sql("".join(f"ALTER SYSTEM SET {n} = '{v.strip()}';\n" for n, _, v in lines))
        elif block.language in OUTPUT and last is not None and _prints(last, block):
            self._last = last
            self._compare(block, last)
        elif block.language == "json":
            if not self.is_valid(json.loads(block.code)):
                raise BlockFailedError("no schema of /openapi.json has this")
        else:
            raise BlockFailedError(
                f"no way to run “{block.language}” is known: write why, in a mark"
            )

    def _run_shell(self, code: str) -> str:
        commands, _, last = code.rstrip("\n").rpartition("\n")
        if last.startswith("xinqiao-gateway serve"):
            return self.shell(commands) + self._serve(last)
        # An id that is cut short may be one that the same block prints.
        output = "".join(map(self.shell, re.split(r"(?m)^(?=xinqiao\S* .*…)", code)))
        if _SETTINGS.fullmatch(code):
            self.shell(f"(set -a; . .demo/operator.env; {code}\ncheck-settings)")
        return output

    def _serve(self, command: str) -> str:
        """Start a gateway, wait until it answers, end it."""
        ready = "until curl -sf -o ready {url}/healthz; do kill -0 $!; sleep 0.1; done"
        address = re.search(r"--host (\S+) --port (\d+)", self._real(command))
        assert address is not None
        url = f"http://{address[1]}:{address[2]}"
        return self.shell(f"{command} &\n{ready.format(url=url)}\nkill $!; wait $! || true")

    def _run_python(self, block: Block) -> str:
        if usage := _USAGE.match(block.code):
            (self.folder / usage[1]).write_text(self._real(block.code), encoding="utf-8")
            return self.shell(f"python {usage[1]}{usage[2]}")
        code = compile("\n" * (block.line - 1) + self._real(block.code), str(block.page), "exec")
        known = set(self.names)
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(io.StringIO()) as output,
            contextlib.suppress(EndOfBlock),
        ):
            exec(code, self.names)  # noqa: S102  # our own documentation
            for name in set(self.names) - known:
                if name.startswith("test_"):
                    self.names[name]()
        self.printed += output.getvalue()
        return output.getvalue()

    def _compare(self, block: Block, last: Block) -> None:
        """Compare output; what only reads is read again until it is as shown."""
        read_only = last.language in SHELL and not re.search(r"\s-(d|X)\b", last.code)
        until = time.monotonic() + SECONDS
        while not is_like(self._output, block.code):
            if not read_only or time.monotonic() > until:
                raise BlockFailedError(f"the block before it printed\n{self._output}\nnot")
            time.sleep(0.1)
            self._output = self._run_shell(last.code)

    def _real(self, code: str) -> str:
        for written, real in self.replaced.items():
            code = code.replace(written, real)
        newest = {each[1]: each[0] for each in _ID.finditer(self.printed)}
        digests = re.findall(r"\b[0-9a-f]{64}\b", self.printed)
        code = _CUT_ID.sub(lambda cut: newest.get(cut[1], cut[0]), code)
        return re.sub(r"\bDIGEST\b", digests[-1], code) if digests else code


def is_like(output: str, shown: str) -> bool:
    """True if two outputs are the same but for ids, times and `…`.

    Of JSON only the last line counts, and not its layout.
    """
    try:
        told, meant = json.loads(output.strip().split("\n")[-1]), json.loads(shown)
    except ValueError:
        told, meant = output.strip(), shown.strip()
    return _same(told, meant)


def _prints(last: Block, block: Block) -> bool:
    return last.section == block.section and last.language in SHELL | PYTHON


def _same(told: Any, meant: Any) -> bool:
    if isinstance(meant, dict):
        return (
            isinstance(told, dict)
            and told.keys() == meant.keys()
            and all(_same(told[name], meant[name]) for name in meant)
        )
    if isinstance(meant, list):
        return isinstance(told, list) and len(told) == len(meant) and all(map(_same, told, meant))
    if isinstance(meant, str) and isinstance(told, str):
        pattern = re.escape(_VARIES.sub("…", meant)).replace("…", ".*")
        return re.fullmatch(pattern, _VARIES.sub("…", told)) is not None
    return bool(told == meant)


@contextlib.contextmanager
def _time_limit(process: subprocess.Popen[str]) -> Iterator[None]:
    timer = threading.Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
