"""`record show`: an enterprise's records on a day, without personal data."""

import asyncio
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.printing import print_members
from gateway.db.engine import make_engine
from gateway.ingest import Source, ingest_rows
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, USCC
from tests.databases import new_database

FIRST = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SECOND = datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC)
"""The last second of 9 March in Shanghai."""


async def _deliver(url: str) -> None:
    vault = Vault(VaultKeys.parse(Vault.generate_keys()))
    engine = make_engine(url, pool_size=1)
    source = Source(source_id="market", name="数源单位")
    registration = {
        "uscc": USCC,
        "name": "义乌市佳禾日用品商行",
        "kind": "individual_business",
        "entity_type": "9500",
        "status": "active",
        "legal_representative": "张三丰",
        "phone": "15400000000",
        "division": "330782",
    }
    licence = {"uscc": USCC, "number": "许1", "name": "旧名", "decided_on": "2026-01-01"}
    for now, dataset, row in (
        (FIRST, "registration", registration),
        (FIRST, "licence", licence),
        (SECOND, "licence", licence | {"name": "新名"}),
    ):
        async with engine.begin() as connection:
            await ingest_rows(
                connection, source, dataset, [row], now=now, catalogue=CATALOGUE, vault=vault
            )
    await engine.dispose()


@pytest.fixture(scope="module")
def url(postgres_url: str) -> str:
    """A database with one enterprise and a changed licence."""
    made = asyncio.run(new_database(postgres_url))
    asyncio.run(_deliver(made))
    return made


def show(url: str, *arguments: str) -> tuple[int, str]:
    """Run the command."""
    environment = {"XINQIAO_DATABASE_URL": url, "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["record", "show", *arguments], env=environment)
    return done.exit_code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("day", "seen", "unseen"),
    [("2026-03-08", "旧名", "新名"), ("2026-03-09", "新名", "旧名")],
)
def test_a_file_is_shown_as_it_was_at_the_end_of_a_day(
    url: str, day: str, seen: str, unseen: str
) -> None:
    """Days end at midnight in Shanghai."""
    status, text = show(url, USCC, "--on", day)
    assert status == 0
    assert seen in text
    assert unseen not in text


def test_no_person_is_shown(url: str) -> None:
    """Encrypted fields are not opened; names are masked."""
    _, text = show(url, USCC)
    assert "张**" in text
    assert "张三丰" not in text
    assert "15400000000" not in text
    assert "personal: (sealed)" in text


def test_nothing_held_and_no_day_are_said_in_one_sentence(url: str) -> None:
    """Status 2."""
    assert show(url, USCC, "--on", "2026-02-28") == (
        2,
        "Nothing was held on this enterprise then.\n",
    )
    assert show(url, USCC, "--on", "yesterday") == (2, "--on is a day as YYYY-MM-DD.\n")
    assert show(url, USCC, "--on", "9999-12-31") == (2, "--on is a day that has come.\n")


def test_terminal_control_sequences_are_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Control sequences in records are escaped."""
    print_members({"fields": {"authority": "\x1b]0;x\x07某局\u202e", "kinds": ["\x1b[2J"]}})
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert r"\x1b]0;x\x07某局\u202e" in shown
