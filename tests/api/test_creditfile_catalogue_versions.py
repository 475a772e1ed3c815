"""Catalogue versions: loaded without restart; one that discloses more needs two operators."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from gateway.admin import catalogue_service
from gateway.admin.audit_log import ActContext
from gateway.admin.errors import AdminRefusal
from gateway.admin.operators import Operator
from gateway.background.catalogue_reload import reload_catalogue
from gateway.cli.main import app
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, load_catalogue
from gateway.creditfile.catalogue.versions import CatalogueVersion, digest_of, in_force
from gateway.db.engine import make_engine
from gateway.ingest import BatchResult, Source, ingest_rows
from gateway.portal.consents.decision_form import dataset_fields
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture, open_gateway
from tests.waiting import PATIENCE

DOCUMENT = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
SEVENTEENTH = """
  - code: green_rating
    zh: 绿色评价
    en: Green rating
    source: industry_authority
    tone: good
    key: number
    clock: open
    fields:
      - {name: number, zh: 评价编号, en: Number, type: text, class: authorised, required: true,
         description: "The number of the rating."}
      - {name: level, zh: 等级, en: Level, type: text, class: authorised, column: level,
         values: [绿, 浅绿], description: "How green."}
      - {name: inspector, zh: 评价人, en: Rated by, type: text, class: never, personal: true,
         description: "Never told."}
      - {name: date, zh: 评价日期, en: Date, type: date, class: authorised, column: decided_on,
         description: "The day of the rating."}
"""
WIDER = DOCUMENT.replace('version: "2026.3"', 'version: "2026.4"') + SEVENTEENTH
NARROWER = DOCUMENT.replace('version: "2026.3"', 'version: "2026.3a"').replace(
    "      months: 36", "      months: 24"
)
WIDER_PENALTY = DOCUMENT.replace('version: "2026.3"', 'version: "2026.4"').replace(
    "name: appeal_state, zh: 复议诉讼状态, en: Appeal state, type: text, class: never",
    "name: appeal_state, zh: 复议诉讼状态, en: Appeal state, type: text, class: authorised",
)
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
FANG, QIANG = Operator.at_the_shell("fang"), Operator.at_the_shell("qiang")


@pytest_asyncio.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """A database of its own, since loaded catalogues stay."""
    made = make_engine(await new_database(postgres_url), pool_size=3)
    yield made
    await made.dispose()


async def load(
    engine: AsyncEngine, document: str, *, operator: Operator = FANG, allow: bool = False
) -> CatalogueVersion | AdminRefusal:
    async with engine.begin() as connection:
        at = ActContext(connection=connection, operator=operator, now=NOW, datasets=())
        return await catalogue_service.load(at, document, allow_widening=allow)


async def approve(
    engine: AsyncEngine, version: str, digest: bytes, *, operator: Operator = QIANG
) -> CatalogueVersion | AdminRefusal:
    async with engine.begin() as connection:
        at = ActContext(connection=connection, operator=operator, now=NOW, datasets=())
        return await catalogue_service.approve(at, version, digest)


async def counting(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return (await in_force(connection)).version


async def test_a_narrower_catalogue_counts_at_once(engine: AsyncEngine) -> None:
    """One operator is enough; the act has a log leaf."""
    assert await counting(engine) == "2026.3"
    loaded = await load(engine, NARROWER)
    assert isinstance(loaded, CatalogueVersion)
    assert loaded.place == 1
    assert await counting(engine) == "2026.3a"
    async with engine.connect() as connection:
        acts = (
            await connection.execute(text("SELECT what, subject, after FROM operator_act"))
        ).all()
        leaves = (await connection.execute(text("SELECT count(*) FROM pending_leaf"))).scalar_one()
    assert [tuple(each) for each in acts] == [("catalogue.load", "2026.3a", digest_of(NARROWER))]
    assert leaves == 1


async def test_a_wider_one_is_refused_waits_and_takes_another_operator(engine: AsyncEngine) -> None:
    """Neither its loader nor a wrong digest puts it into force."""
    refused = await load(engine, WIDER)
    assert isinstance(refused, AdminRefusal)
    assert "green_rating: a new dataset" in refused.sentence
    waiting = await load(engine, WIDER, allow=True)
    assert isinstance(waiting, CatalogueVersion)
    assert waiting.place is None
    assert await counting(engine) == "2026.3"
    for attempt in (
        approve(engine, "2026.4", waiting.digest, operator=FANG),
        approve(engine, "2026.4", waiting.digest, operator=Operator.with_token("ops", "fang")),
        approve(engine, "2026.4", b"\0" * 32),
        approve(engine, "2027.1", waiting.digest),
    ):
        assert isinstance(await attempt, AdminRefusal)
    assert await counting(engine) == "2026.3"
    approved = await approve(engine, "2026.4", waiting.digest)
    assert isinstance(approved, CatalogueVersion)
    assert approved.approved_by == "shell:qiang"
    assert await counting(engine) == "2026.4"


async def test_a_comparison_with_another_catalogue_is_not_approved(
    engine: AsyncEngine,
) -> None:
    """The comparison with the new present version would widen more than was read."""
    waiting = await load(engine, WIDER, allow=True)
    assert isinstance(waiting, CatalogueVersion)
    await load(engine, NARROWER)
    refused = await approve(engine, "2026.4", waiting.digest)
    assert isinstance(refused, AdminRefusal)
    assert "Another catalogue" in refused.sentence
    assert await counting(engine) == "2026.3a"


async def test_a_version_never_changes(engine: AsyncEngine) -> None:
    """Neither by a second load under its name nor by SQL; datasets are never removed."""
    again = await load(engine, NARROWER)
    assert await load(engine, NARROWER) == again
    for other in (
        NARROWER + "\n",
        NARROWER.replace("procedures: [简易]", "procedures: [简易, 普通]"),
    ):
        refused = await load(engine, other)
        assert isinstance(refused, AdminRefusal)
        assert "its own" in refused.sentence
    before, _, after = NARROWER.replace("2026.3a", "2026.9").partition("  - code: supervision")
    less = before + after[after.index("  - code: ") :]
    refused = await load(engine, less)
    assert isinstance(refused, AdminRefusal)
    assert "supervision" in refused.sentence
    assert await counting(engine) == "2026.3a"
    for sql in (
        "UPDATE catalogue_version SET document = 'x'",
        "UPDATE catalogue_version SET place = 9",
        "DELETE FROM catalogue_version",
        "TRUNCATE catalogue_version",
    ):
        with pytest.raises(IntegrityError, match=r"never changes|only ever added"):
            async with engine.begin() as connection:
                await connection.execute(text(sql))


async def test_the_table_itself_wants_another_operator(engine: AsyncEngine) -> None:
    """A constraint of the table."""
    await load(engine, WIDER, allow=True)
    with pytest.raises(IntegrityError, match="approved_by_another"):
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE catalogue_version SET place = 1, approved_by = loaded_by")
            )


def test_the_commands_check_load_and_approve(postgres_url: str, tmp_path: Path) -> None:
    """The output has the differences and the approval command for the second operator."""
    url = asyncio.run(new_database(postgres_url))
    file = tmp_path / "next.yaml"
    file.write_text(WIDER, encoding="utf-8")

    def run(*arguments: str, operator: str = "fang") -> Result:
        environment = {"XINQIAO_DATABASE_URL": url, "XINQIAO_OPERATOR": operator}
        return CliRunner().invoke(app, ["catalogue", *arguments], env=environment)

    checked = run("check", str(file)).output
    assert "+  - code: green_rating" in checked
    assert "widens: green_rating: a new dataset" in checked
    unwidened = run("load", str(file))
    assert unwidened.exit_code == 2
    assert "green_rating: a new dataset" in unwidened.output
    waiting = run("load", str(file), "--allow-widening").output
    found = re.search(r"catalogue approve (\S+) ([0-9a-f]{64})", waiting)
    assert found
    assert "waits" in run("list").output
    alone = run("approve", *found.groups())
    assert alone.exit_code == 2
    assert "cannot approve" in alone.output
    assert "in force" in run("approve", *found.groups(), operator="qiang").output
    assert run("show", "--version", "in-force").output == WIDER
    assert "## 绿色评价" in run("show", "--version", "2026.4", "--format", "markdown").output
    file.write_text("version: [", encoding="utf-8")
    refused = run("check", str(file))
    assert refused.exit_code == 2
    assert "not readable YAML" in refused.output


@pytest_asyncio.fixture
async def own_gateway(postgres_url: str) -> AsyncIterator[GatewayFixture]:
    """A running gateway with its own database."""
    async with open_gateway(postgres_url) as made:
        yield made


async def test_a_seventeenth_dataset_is_delivered_and_disclosed_without_a_restart(
    own_gateway: GatewayFixture,
) -> None:
    """Load, approve, deliver, agree, consent, query; older records keep their catalogue version."""
    gateway, engine = own_gateway, own_gateway.runtime.engine
    waiting = await load(engine, WIDER, allow=True)
    assert isinstance(waiting, CatalogueVersion)
    await reload_catalogue(gateway.app)
    assert gateway.runtime.catalogue.version == "2026.3"
    await approve(engine, "2026.4", waiting.digest)
    async with asyncio.timeout(PATIENCE):
        # The worker's own task sees it, and nobody tells this one.
        while gateway.runtime.catalogue.version != "2026.4":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    uscc = gateway.uscc("clean")
    async with engine.begin() as connection:
        (taken,) = await ingest_rows(
            connection,
            Source(source_id="green", name="绿色评价部门（合成数据）"),
            "green_rating",
            [
                {
                    "uscc": uscc,
                    "number": "绿1",
                    "level": "绿",
                    "inspector": "张某",
                    "date": "2026-01-02",
                }
            ],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )
    assert taken.outcome is BatchResult.CREATED
    bank = await gateway.client(datasets=frozenset({"green_rating", "licence"}))
    await gateway.grant(bank, uscc, datasets=["green_rating", "licence"])
    answer = (await bank.query(uscc, "green_rating", "licence")).json()
    told = {record["dataset"]: record for record in answer["records"]}
    assert told["green_rating"]["fields"] == {"number": "绿1", "level": "绿", "date": "2026-01-02"}
    assert told["green_rating"]["catalogue_version"] == "2026.4"
    assert told["licence"]["catalogue_version"] == "2026.3"
    withheld = [each for each in answer["withheld"] if each["dataset"] == "green_rating"]
    assert [each["reason"] for each in withheld] == ["class_never"]


async def test_a_new_field_is_disclosed_under_a_new_consent_only(
    own_gateway: GatewayFixture,
) -> None:
    """R8: two operators can open a field, but earlier consents do not cover it."""
    gateway, engine = own_gateway, own_gateway.runtime.engine
    uscc = gateway.uscc("penalised")
    bank = await gateway.client()
    named = dataset_fields(["penalty"], gateway.runtime.catalogue)
    before = await gateway.grant(bank, uscc, datasets=["penalty"], named=named)
    first = await bank.query(uscc, "penalty", consent_id=before)
    waiting = await load(engine, WIDER_PENALTY, allow=True)
    assert isinstance(waiting, CatalogueVersion), waiting
    assert waiting.widens == ("penalty.appeal_state: class authorised, was never",)
    await approve(engine, waiting.version, waiting.digest)
    await reload_catalogue(gateway.app)
    assert gateway.runtime.catalogue.version == waiting.version

    told = (await bank.query(uscc, "penalty", consent_id=before)).json()
    assert [each["fields"] for each in told["records"]] == [
        each["fields"] for each in first.json()["records"]
    ]
    withheld = {"dataset": "penalty", "fields": ["appeal_state"], "reason": "not_in_consent"}
    assert withheld in told["withheld"]
    named = dataset_fields(["penalty"], gateway.runtime.catalogue)
    after = await gateway.grant(bank, uscc, datasets=["penalty"], named=named)
    told = (await bank.query(uscc, "penalty", consent_id=after)).json()
    assert withheld not in told["withheld"]
    assert any("appeal_state" in each["fields"] for each in told["records"])


async def test_an_unreadable_catalogue_changes_nothing(own_gateway: GatewayFixture) -> None:
    """The previous version stays in force."""
    gateway = own_gateway
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO catalogue_version (version, place, document, digest, base, widens,"
                " loaded_by, loaded_at) VALUES ('2030.1', 7, 'novelty: true', '\\x00', '2026.3', '{}',"
                " 'shell:fang', now())"
            )
        )
    before = gateway.runtime.catalogue
    assert await reload_catalogue(gateway.app) == "2030.1"
    assert gateway.runtime.catalogue is before
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    assert await bank.answers(uscc, "is_active.v1") == ["yes"]


def test_the_next_catalogue_of_the_tests_is_well_formed() -> None:
    """Control: the next catalogue of these tests is valid."""
    versions = [load_catalogue(each).version for each in (WIDER, WIDER_PENALTY, NARROWER)]
    assert versions == ["2026.4", "2026.4", "2026.3a"]
