"""Code blocks of the documentation, run page by page against one gateway with real stores."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import jsonschema_rs
import pytest

from tests.databases import new_database
from tests.docs.blocks import Block, blocks, untranslated
from tests.docs.pages import CHINESE, DOCS, ROOT, pairs
from tests.docs.preparations import PREPARATIONS, Page
from tests.docs.runner import OUTPUT, PYTHON, SHELL, Runner
from tests.gateway_fixture import GatewayFixture
from tests.servers.command_server import command_server

NOT_RUN: Final = 0.15
"""The largest part of all blocks that may be marked."""
TWINS: Final = {
    **dict(pairs()),
    ROOT / "README.md": ROOT / "README.zh.md",
    ROOT / "sdk" / "README.md": ROOT / "sdk" / "README.zh.md",
}
ORIGINALS: Final = sorted({*TWINS, *DOCS.rglob("*.md")} - set(CHINESE.rglob("*.md")))


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _pages() -> Iterator[Sequence[Block]]:
    """The blocks of each page that has some of its own; of a twin only if it differs."""
    for page in ORIGINALS:
        own = blocks(page)
        twin = TWINS.get(page)
        translated = blocks(twin) if twin is not None and twin.exists() else []
        yield from (each for each in (own, untranslated(own, translated)) if each)


ALL: Final = list(_pages())


def test_every_block_is_run_or_says_why_not() -> None:
    """At most 15 % say so; a block that is in both languages is one."""
    every = [block for page in ALL for block in page]
    marked = [each for each in every if each.reason is not None]
    for each in marked:
        assert each.reason, f"{_name(each.page)}:{each.line}: a mark without a reason"
    assert len(marked) <= NOT_RUN * len(every), f"{len(marked)} of {len(every)} are not run"
    run = {each.language for each in every if each.reason is None}
    assert run <= {*SHELL, *PYTHON, *OUTPUT, "sql", "ini"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder with the two commands."""
    with command_server(tmp_path_factory.mktemp("commands")) as folder:
        yield folder


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "page",
    [page for page in ALL if any(each.reason is None for each in page)],
    ids=lambda page: _name(page[0].page),
)
async def test_the_blocks_of_a_page_do_what_it_says(
    served: GatewayFixture,
    postgres_url: str,
    programs: Path,
    tmp_path: Path,
    page: Sequence[Block],
) -> None:
    """In order, with one shell and one namespace; as new clients and on a new enterprise where it writes."""
    database = await new_database(postgres_url)
    prepared = PREPARATIONS.get(_name(page[0].page), Page)(
        gateway=served, folder=tmp_path, database=database
    )
    await prepared.prepare()
    runner = Runner(
        folder=tmp_path,
        environment=_environment(tmp_path, programs),
        names=prepared.names,
        replaced=prepared.replaced,
        before=prepared.before,
        is_valid=_validator(served.app.openapi()),
        run_sql=lambda code: asyncio.run(_run_sql(database, code)),
    )
    try:
        for block in page:
            if block.reason is None:
                await asyncio.to_thread(runner.run, block)
        assert not runner.before, "no block contains these texts"
    finally:
        runner.close()


def _environment(folder: Path, programs: Path) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("XINQIAO", "COV", "PYTEST"))}
    return {
        **own,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{own['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        # What a page installs is built, and put aside.
        "PIP_TARGET": str(folder / "installed"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_UPGRADE": "1",
    }


def _validator(described: dict[str, Any]) -> Any:
    """True if a value is one that an OpenAPI description knows: by a schema, or of such values."""
    components = described["components"]
    schemas = [
        jsonschema_rs.validator_for({**schema, "components": components})
        for schema in components["schemas"].values()
        if schema.get("required")
    ]

    def is_valid(value: Any) -> bool:
        if isinstance(value, list):
            return bool(value) and all(map(is_valid, value))
        if not isinstance(value, dict):
            return False
        if any(schema.is_valid(value) for schema in schemas):
            return True
        if value.get("type") == "credit_data":  # RFC 9396
            return is_valid({name: each for name, each in value.items() if name != "type"})
        return len(value) == 1 and is_valid(*value.values())

    return is_valid


async def _run_sql(url: str, code: str) -> None:
    """Execute statements; a setting of the server is taken back at once."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in filter(str.strip, re.sub(r"--.*", "", code).split(";")):
            await connection.execute(statement)
            if "ALTER SYSTEM SET" in statement:
                setting = statement.split("SET")[1].split("=")[0]
                await connection.execute(f"ALTER SYSTEM RESET {setting}")
    finally:
        await connection.close()
