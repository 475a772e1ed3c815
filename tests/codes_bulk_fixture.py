"""Fixture of `code` commands: a database with enterprises of two divisions, and the command."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, text
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.db.engine import make_engine
from tests.databases import new_database
from tests.portal_fixture import add_enterprise
from verification.uscc import check_character

ISSUER: Final = "https://qym.zj.gov.cn"
DIVISION: Final = "330106"
IN_BUSINESS: Final = 60
"""Enterprises of the division, of 70: five are deregistered, five are in another division."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFixture:
    """A database of enterprises, and the folder of its files."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the command."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "XINQIAO_DATABASE_URL": self.url,
            "XINQIAO_ISSUER": ISSUER,
            "XINQIAO_OPERATOR": "fang",
            "COLUMNS": "200",
        }

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a `code` command; its output, or the sentence with which it failed."""
        done = CliRunner().invoke(app, ["code", *arguments], env=self.environment)
        assert done.exit_code == status, (done.exit_code, done.output, done.exc_info)
        return done.stderr if status else done.stdout

    def bulk(self, *arguments: str) -> list[str]:
        """Arguments of a bulk issue for the division."""
        return ["bulk", "--division", DIVISION, "--out", str(self.file), *arguments]

    def start_bulk(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a bulk issue as a process."""
        code = "from gateway.cli.main import main\nmain()"
        return subprocess.Popen(
            [sys.executable, "-c", code, "code", *self.bulk(*arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def file(self) -> Path:
        """The printer's file."""
        return self.folder / "codes.ndjson"

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the printer's file."""
        return [orjson.loads(line) for line in self.file.read_bytes().splitlines()]

    def rows(self, sql: str, **values: Any) -> list[RowMapping]:
        """Rows of an SQL statement."""

        async def act() -> list[RowMapping]:
            engine = make_engine(self.url, pool_size=1)
            async with engine.begin() as connection:
                found = await connection.execute(text(sql), values)
                rows = list(found.mappings()) if found.returns_rows else []
            await engine.dispose()
            return rows

        return asyncio.run(act())


def make_command_fixture(postgres_url: str, folder: Path) -> CommandFixture:
    """The fixture with 70 enterprises."""
    return CommandFixture(url=asyncio.run(_fill(postgres_url)), folder=folder)


def some_uscc(number: int) -> str:
    """A code of the division, by its number."""
    body = f"91330106MA{number:07d}"
    return body + check_character(body)


async def _fill(postgres_url: str) -> str:
    url = await new_database(postgres_url)
    engine = make_engine(url, pool_size=1)
    for n in range(70):
        await add_enterprise(
            engine,
            some_uscc(n),
            f"杭州第{n}商店",
            status="deregistered" if n % 14 == 0 else "active",
            division="330110" if n % 14 == 7 else DIVISION,
        )
    await engine.dispose()
    return url
