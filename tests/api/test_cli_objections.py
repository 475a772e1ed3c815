"""Objection and retention commands: due list, review, dry run, deletion proof."""

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.creditfile.objections import lifecycle, service
from gateway.creditfile.objections.model import Objection
from tests.gateway_fixture import GatewayFixture
from tests.objection_builders import (
    ENTERPRISE,
    make_disputed_record,
    make_fresh_enterprise,
    object_to,
)
from tests.records_builders import deliver, make_department, make_penalty
from tests.repair_builders import apply_for_repair

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """An operator's shell beside a gateway."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> Result:
        """Run `xinqiao-gateway` with these arguments."""
        return CliRunner().invoke(app, list(arguments), env=self.environment)

    def ok(self, *arguments: str) -> str:
        """Output of a command that succeeds."""
        done = self.run(*arguments)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """Sentence of a command that is refused."""
        done = self.run(*arguments)
        assert done.exit_code == 2, done.stdout + done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        return done.stderr


@pytest.fixture
def shell(gateway: GatewayFixture) -> Shell:
    """A shell with the gateway's settings."""
    settings = gateway.settings
    return Shell(
        environment={
            "XINQIAO_OPERATOR": "fang",
            "XINQIAO_DATABASE_URL": settings.database_url.replace("+asyncpg", ""),
            "XINQIAO_ISSUER": settings.issuer,
            "XINQIAO_SECRET": settings.secret.get_secret_value(),
            "XINQIAO_SIGNING_KEYS": str(settings.signing_keys),
            "XINQIAO_VAULT_KEYS": str(settings.vault_keys),
            "XINQIAO_LOG_CHECKPOINTS": ",".join(settings.log_checkpoints),
            "XINQIAO_DEMO": "true",
            "COLUMNS": "300",
        }
    )


async def make_case(gateway: GatewayFixture) -> Objection:
    """An open objection."""
    source = await gateway.client("source")
    return await object_to(gateway, await make_disputed_record(gateway, source))


async def run(shell: Shell, *arguments: str, refused: bool = False) -> str:
    """Run a command in a thread, since it starts its own event loop."""
    return await asyncio.to_thread(shell.refused if refused else shell.ok, *arguments)


async def test_due_objections_are_listed_and_exported(
    gateway: GatewayFixture, shell: Shell
) -> None:
    """As a table and as CSV, with the days left."""
    raised = await make_case(gateway)
    assert raised.objection_id in await run(shell, "objections", "due")
    narrow = replace(shell, environment=shell.environment | {"COLUMNS": "80"})
    assert f"{raised.objection_id}  due 2" in await run(narrow, "objections", "due")
    assert raised.objection_id in await run(shell, "objections", "due", "--csv", "--within", "5")
    assert raised.objection_id not in await run(shell, "objections", "due", "--within", "4")
    shown = await run(shell, "objections", "show", raised.objection_id)
    assert "罚款已经撤销" in shown


async def test_due_applications_for_repair_are_listed_exported_and_shown(
    gateway: GatewayFixture, shell: Shell
) -> None:
    """As a table and as CSV, with the days left; with the statement for one."""
    source, uscc = await make_department(gateway), await make_fresh_enterprise(gateway)
    (delivered,) = await deliver(source, "penalty", make_penalty(gateway, uscc))
    made = await apply_for_repair(gateway, uscc, delivered["record_id"])
    assert f"{made.application_id}  due {made.due_on}" in await run(shell, "repairs", "due")
    assert made.application_id in await run(shell, "repairs", "due", "--csv", "--within", "10")
    assert made.application_id not in await run(shell, "repairs", "due", "--within", "9")
    assert made.statement in await run(shell, "repairs", "show", made.application_id)
    for unknown, sentence in ((f"rep_{'a' * 26}", "no such application"), ("x", "26 characters")):
        assert sentence in await run(shell, "repairs", "show", unknown, refused=True)


async def test_a_review_at_the_shell(gateway: GatewayFixture, shell: Shell, tmp_path: Path) -> None:
    """Refused before a review is requested; then an act under the operator's name."""
    raised, reasons = await make_case(gateway), tmp_path / "reasons.txt"
    reasons.write_text("事实不清，应予更正。")
    review = ("objections", "review", raised.objection_id, "--outcome", "upheld", "--reasons")
    assert "not asked" in await run(shell, *review, str(reasons), refused=True)
    late = gateway.clock()
    async with gateway.runtime.engine.begin() as connection:
        done = await service.apply_act(
            connection,
            raised.objection_id,
            lambda objection, _: lifecycle.ask_for_review(
                replace(objection, due_on=late.date().replace(year=2020)),
                actor=replace(ENTERPRISE, party=raised.uscc),
                text="逾期未决定。",
                kinds=gateway.runtime.catalogue.objections,
                now=late,
            ),
        )
    assert isinstance(done, Objection)
    assert "is ordered: upheld" in await run(shell, *review, str(reasons))
    acts = await gateway.rows(
        "SELECT operator, what FROM operator_act WHERE subject = :id", id=raised.objection_id
    )
    assert acts == [{"operator": "shell:fang", "what": "objection.review"}]
    unknown = ("objections", "show", "obj_unknown")
    assert "no such objection" in await run(shell, *unknown, refused=True)


PROOFS = "SELECT deletion_id FROM deletion_proof"


async def test_retention_at_the_shell_counts_deletes_and_proves(
    gateway: GatewayFixture, shell: Shell, tmp_path: Path
) -> None:
    """A dry run changes nothing; the proof verifies offline, and a changed one does not."""
    source = await gateway.client("source")
    made = await make_disputed_record(gateway, source, dataset="abnormal_listing")
    await gateway.rows(
        "UPDATE record SET decided_on = '2015-01-05', removed_on = '2016-01-05' WHERE record_id = :id",
        id=made.record_id,
    )
    assert "abnormal_listing" in await run(shell, "retention", "run", "--dry-run")
    here = "SELECT 1 AS here FROM record WHERE record_id = :id"
    assert await gateway.rows(here, id=made.record_id)
    before = {each["deletion_id"] for each in await gateway.rows(PROOFS)}
    assert "deleted" in await run(shell, "retention", "run")
    assert await gateway.rows(here, id=made.record_id) == []
    assert "No record is past" in await run(shell, "retention", "run", "--dry-run")

    file, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    keys.write_text(json.dumps(gateway.runtime.keys.published()))
    verify = ("retention", "verify", str(file), "--keys", str(keys))
    this = ("--record", made.record_id, "--version", "1")
    for each in await gateway.rows(PROOFS):  # other tests' records may have been due too
        if each["deletion_id"] not in before:
            assert each["deletion_id"] in await run(shell, "retention", "proofs")
            await run(shell, "retention", "proof", each["deletion_id"], "--out", str(file))
            said = await asyncio.to_thread(shell.run, *verify, *this)
            if said.exit_code == 0:
                break
    assert "the record is in it" in said.stdout
    assert "not among" in await run(shell, *verify, "--record", "rec_other", refused=True)
    changed: dict[str, Any] = json.loads(file.read_text()) | {"commitments": []}
    file.write_text(json.dumps(changed))
    assert "not those that were signed" in await run(shell, *verify, refused=True)
    assert "no such proof" in await run(
        shell, "retention", "proof", "del_unknown", "--out", str(file), refused=True
    )
