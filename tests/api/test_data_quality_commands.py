"""`xinqiao-gateway quality`: the bulletin's files, and what a comparison found."""

import csv
from pathlib import Path

import pytest

from gateway.data_quality.month import Month
from gateway.pages.csv_safe import BOM
from tests.api.test_cli_objections import Shell, run, shell
from tests.api.test_data_quality_endpoints import OWN, dataset, deliver_penalties, read
from tests.gateway_fixture import GatewayFixture
from tests.records_builders import make_department

__all__ = ["shell"]  # the fixture
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_bulletin_is_written_as_page_and_csv(
    gateway: GatewayFixture, shell: Shell, tmp_path: Path
) -> None:
    """The source's 12 penalties are in it; its three late ones are not."""
    source = await make_department(gateway)
    await deliver_penalties(gateway, source, late=3, timely=9)
    month = str(Month.at(gateway.clock()))
    asked = ("quality", "bulletin", "--month", month, "--out", str(tmp_path / "b"))
    assert "not over" in await run(shell, *asked, refused=True)
    written = await run(shell, *asked, "--draft")
    page, table = (
        tmp_path / "b" / f"data-quality-{month}-draft.{form}" for form in ("html", "csv")
    )
    assert str(page) in written
    assert "数据质量通报（草稿，不公布）" in page.read_text(encoding="utf-8")
    rows = csv.DictReader(table.read_text(encoding="utf-8").removeprefix(BOM).splitlines())
    found = {row["measure"]: row for row in rows if row["source_id"] == source.client_id}
    assert found["received"]["value"] == "12"
    assert (found["late"]["value"], found["late"]["suppressed"]) == ("", "true")


async def test_what_a_comparison_found_is_counted_in_the_month_in_place_of_the_one_before(
    gateway: GatewayFixture, shell: Shell, tmp_path: Path
) -> None:
    source = await make_department(gateway)
    await deliver_penalties(gateway, source, late=0, timely=4)
    month = str(Month.at(gateway.clock()))
    file = tmp_path / "findings.csv"
    command = (
        "quality", "findings", str(file), "--month", month, "--dataset", "penalty",
        "--source", source.client_id, "--side", "信用浙江",
    )  # fmt: skip
    head = "kind,uscc,key,side,field,left,right\n"
    for lines in (
        "missing,A,1,信用浙江,,,\nmissing,A,2,信用浙江,,,\n",
        "missing,A,1,信用浙江,,,\n",
    ):
        file.write_text(head + lines + "differs,B,1,,fine,5,6\n", encoding="utf-8")
        assert "differs: 1 records of 1 enterprises" in await run(shell, *command)
    penalties = dataset(await read(source, OWN))
    found = {each["fault"]: each["records"] for each in penalties["faults"] if not each["field"]}
    assert (found["absent"], found["differs"]) == (1, 1)
    assert penalties["score"]["right"] == 75.0, "what differs is not scored"


async def test_a_wrong_month_dataset_or_file_is_refused_in_a_sentence(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "findings.csv"
    file.write_text("kind,uscc,key,side\n", encoding="utf-8")
    given = ("--dataset", "penalty", "--source", "x", "--side", "y")
    refused = await run(
        shell, "quality", "findings", str(file), "--month", "2026-13", *given, refused=True
    )
    assert refused.startswith("--month")
    unknown = ("--month", "2026-01", "--dataset", "none", "--source", "x", "--side", "y")
    assert "no dataset none" in await run(
        shell, "quality", "findings", str(file), *unknown, refused=True
    )
    file.write_text("uscc\n", encoding="utf-8")
    assert "no CSV of findings" in await run(
        shell, "quality", "findings", str(file), "--month", "2026-01", *given, refused=True
    )
