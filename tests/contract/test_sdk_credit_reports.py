"""The SDK's verification of credit reports against the real gateway, over a socket."""

import asyncio
import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.credit_reports import service
from gateway.credit_reports.document import Choice
from gateway.credit_reports.ids import number_from
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from tests.gateway_fixture import GatewayFixture
from tests.objection_builders import make_fresh_enterprise
from tests.records_builders import deliver, make_penalty
from tests.sdk_builders import members
from xinqiao import CreditReport, errors, fetch_keys, report_status, verify_report
from xinqiao.cli._app import app
from xinqiao.testing import FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")
DATASETS = ["registration", "penalty"]


def person(gateway: GatewayFixture) -> HeadlessVisitor:
    """The browser of somebody who acts for that enterprise."""
    subjects = gateway.kit["subjects"]
    subject = next(each for each in subjects if each["uscc"] == gateway.uscc("clean"))
    return HeadlessVisitor(gateway.issuer, subject["login"])


async def make_report(gateway: GatewayFixture) -> str:
    """The address of a new report of the demo's clean enterprise."""
    async with person(gateway) as enterprise:
        report_id = await enterprise.make_report(
            gateway.uscc("clean"), datasets=DATASETS, recipient="示例银行"
        )
    return f"{gateway.issuer}/R/{report_id}"


async def file_of(gateway: GatewayFixture, address: str, name: str = "report.json") -> bytes:
    """A report's file, as whoever has the address gets it."""
    async with HeadlessVisitor(gateway.issuer) as reader:
        return await reader.download(f"{address}/{name}")


async def stored_report(gateway: GatewayFixture, uscc: str) -> bytes:
    """The file of a new report of any enterprise."""
    runtime = gateway.runtime
    now = runtime.now()
    choice = Choice(
        span_from=now.date() - timedelta(days=365),
        span_to=now.date(),
        datasets=tuple(DATASETS),
        recipient=None,
        valid_until=now + timedelta(days=30),
    )
    number = number_from(secrets.token_bytes(16))
    async with runtime.engine.begin() as connection:
        draft = await service.draft(connection, runtime, uscc, choice, number)
        assert draft is not None
        author = service.Author(actor="somebody", token_digest=b"")
        await service.make_report(connection, runtime, draft, choice, author)
    return await file_of(gateway, f"{gateway.issuer}/R/{number}")


async def verified(gateway: GatewayFixture, file: bytes) -> CreditReport:
    """A report, verified with the keys that the gateway publishes."""
    keys = await asyncio.to_thread(fetch_keys, gateway.issuer)
    return verify_report(file, keys=keys, issuer=gateway.issuer)


async def state(report: CreditReport) -> str:
    """The state of a report, as its gateway says."""
    return (await asyncio.to_thread(report_status, report)).state


async def test_a_report_verifies_as_json_and_as_pdf_until_it_is_taken_back(
    served: GatewayFixture,
) -> None:
    """The same report in both, whole; one changed byte of either is found."""
    address = await make_report(served)
    document, pdf = [await file_of(served, address, f"report.{kind}") for kind in ("json", "pdf")]
    report = await verified(served, document)
    assert report == await verified(served, pdf)
    assert report.uscc == served.uscc("clean")
    assert (report.recipient, report.datasets) == ("示例银行", tuple(DATASETS))
    assert await state(report) == "valid"
    for file in (document, pdf):
        changed = bytearray(file)
        changed[len(changed) // 2] ^= 1
        with pytest.raises(errors.EvidenceInvalid):
            await verified(served, bytes(changed))
    async with person(served) as enterprise:
        await enterprise.take_back_report(report.report_id)
    assert await state(report) == "taken_back"
    assert await verified(served, document) == report


async def test_a_report_says_that_there_are_newer_records_and_that_one_changed(
    served: GatewayFixture,
) -> None:
    """From the next request on."""
    department, uscc = await served.client("source"), await make_fresh_enterprise(served)
    first = await verified(served, await stored_report(served, uscc))
    penalty = make_penalty(served, uscc)
    (told,) = await deliver(department, "penalty", penalty)
    assert await state(first) == "newer_records"
    second = await verified(served, await stored_report(served, uscc))
    assert told["record_id"] in {each.record_id for each in second.records}
    await deliver(department, "penalty", {**penalty, "fine": "13"})
    assert await state(second) == "changed"


async def test_the_command_verifies_a_report_of_the_gateway(
    served: GatewayFixture, tmp_path: Path
) -> None:
    """Offline by a kept key set, and online by the issuer."""
    pdf = await file_of(served, await make_report(served), "report.pdf")
    file, keys = tmp_path / "report.pdf", tmp_path / "keys.json"
    file.write_bytes(pdf)
    keys.write_text(json.dumps(served.runtime.keys.published()))

    def run(*options: str) -> Any:
        return CliRunner().invoke(app, ["verify-report", str(file), *options, "--lang", "zh"])

    offline = await asyncio.to_thread(run, "--keys", str(keys))
    online = await asyncio.to_thread(run, "--issuer", served.issuer, "--online")
    assert (offline.exit_code, online.exit_code) == (0, 0)
    assert "✔ 仍然有效" in online.stdout
    assert "示例银行" in offline.stdout


async def test_the_fake_gateway_makes_reports_of_the_same_shape(served: GatewayFixture) -> None:
    """Every member, but for what depends on the enterprise's records."""
    document = await file_of(served, await make_report(served))
    fake = FakeGateway()
    uscc = served.uscc("clean")
    fake.add_enterprise(uscc, records=[{"dataset": "registration", "fields": {}}])
    made = fake.make_report(uscc, datasets=DATASETS, recipient="示例银行")
    of_fake, of_real = (members(json.loads(each)) for each in (made, document))
    varying = ".report.records[].fields"
    assert {each for each in of_real if not each.startswith(f"{varying}.")} - of_fake <= {
        ".report.records[].source.uscc",
        ".report.left_out[].datasets[]",
    }
    assert of_fake <= of_real
