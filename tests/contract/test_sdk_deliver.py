"""`xinqiao deliver` against the real gateway over a socket: cuts, refusals, reports."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
import pytest_asyncio
import python_calamine
import typer
import xlsxwriter
from jwt.algorithms import ECAlgorithm

from tests.delivery_builders import delivery_of
from tests.gateway_fixture import Caller, GatewayFixture
from tests.records_builders import forget, get, make_department
from tests.sdk_builders import client_of
from tests.waiting import PATIENCE
from xinqiao import RetryPolicy, errors
from xinqiao._core.api.uploads import SMALLEST_PART, JobStatus
from xinqiao.cli import _printing
from xinqiao.cli._app import app
from xinqiao.cli._errors import InputError
from xinqiao.cli.deliver.upload_client import UploadClient
from xinqiao.cli.deliver.uploading import upload

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADER = "统一社会信用代码,处罚决定书文号,处罚类别,违法事实,处罚决定日期,备注"
LONG = "长" * 300_000
PYTHON = (sys.executable, "-c")
QUICK = RetryPolicy(retries=3, base=0.01)


class Done(NamedTuple):
    """Outcome of the command."""

    status: int
    out: str
    err: str


Run = Callable[..., Awaitable[Done]]


@pytest_asyncio.fixture(loop_scope="session")
async def department(served: GatewayFixture) -> AsyncIterator[Caller]:
    """A department; what it delivers is deleted afterwards."""
    yield await make_department(served)
    await forget(served)


@pytest.fixture
def kit(department: Caller, tmp_path: Path) -> Path:
    """A kit with its credentials."""
    path = tmp_path / "kit.json"
    private = {**ECAlgorithm.to_jwk(department.key, as_dict=True), "kid": "k1"}
    source = {"client_id": department.client_id, "private_jwks": {"keys": [private]}}
    path.write_text(
        json.dumps({"issuer": department.gateway.issuer, "clients": {"source": source}})
    )
    return path


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command remembers unfinished uploads."""
    folder = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.fixture
def run(kit: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in a thread, since the gateway's background tasks run on the test's loop."""
    assert state

    async def invoke(path: Path, *arguments: str) -> Done:
        out, err = StringIO(), StringIO()
        monkeypatch.setattr(_printing.out, "_file", out)
        monkeypatch.setattr(_printing.notes, "_file", err)
        given = ["deliver", str(path), "--kit", str(kit), "--lang", "zh", "--dataset", "penalty"]
        status = await asyncio.to_thread(app, [*given, *arguments], standalone_mode=False)
        return Done(status or 0, out.getvalue(), err.getvalue())

    return invoke


def rows_of(served: GatewayFixture, *numbers: str, remark: str = "") -> str:
    """A file with a title, and a penalty for each number."""
    uscc = served.uscc("clean")
    rows = (f"{uscc},{each},罚款,未按规定明码标价。,2026-03-02,{remark}" for each in numbers)
    return "\n".join(("处罚信息表", HEADER, *rows, ""))


def names_in(folder: Path) -> set[str]:
    """Names of the files in a folder."""
    return {each.name for each in folder.iterdir()}


def sheet(path: Path, name: str) -> list[list[Any]]:
    """Rows of a sheet of the report."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return list(book.get_sheet_by_name(name).iter_rows())


async def jobs_of(department: Caller) -> list[dict[str, Any]]:
    """The department's jobs, newest first."""
    found: list[dict[str, Any]] = (await get(department, "/v1/records/jobs")).json()["jobs"]
    return found


class CutTransport(httpx2.HTTPTransport):
    """Network that fails at the parts with these numbers, each in the way that is given."""

    def __init__(self, **failures: Callable[[httpx2.Request], httpx2.Response]) -> None:
        super().__init__()
        self._failures = failures
        self.offsets: list[int] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "PATCH":
            return super().handle_request(request)
        self.offsets.append(int(request.headers["upload-offset"]))
        failure = self._failures.get(f"part_{len(self.offsets)}")
        return super().handle_request(request) if failure is None else failure(request)


def cut(request: httpx2.Request) -> httpx2.Response:
    """A connection that is lost before anything has arrived."""
    raise httpx2.ReadError("cut", request=request)


async def upload_over(department: Caller, path: Path, transport: httpx2.BaseTransport) -> JobStatus:
    """Upload a file over this network; the gateway's loop goes on meanwhile."""

    def work() -> JobStatus:
        with client_of(department, UploadClient, transport=transport, retry=QUICK) as client:
            return upload(client, delivery_of(path), anew=False)

    return await asyncio.to_thread(work)


async def test_a_file_is_taken_and_its_bad_rows_come_back_as_a_workbook(
    served: GatewayFixture, run: Run, tmp_path: Path
) -> None:
    """Ends with 1; prints counts, columns and rows, and no value of the file."""
    path = tmp_path / "处罚.csv"
    content = rows_of(served, "罚甲1", "罚甲2", "罚甲3")
    content = content.replace("罚甲2,罚款", "罚甲2,没有这种处罚")
    path.write_bytes(content.encode("gb18030"))
    done = await run(path)
    assert done.status == 1, done
    assert "✘ 处罚.csv → 行政处罚 (penalty)" in done.out
    assert [line.split()[-1] for line in done.out.splitlines()[1:6]] == ["3", "2", "0", "0", "1"]
    assert "未保存的列：备注" in done.out
    assert "1 行（第 2 行）" in done.out
    for value in ("罚甲", "没有这种处罚", "明码标价", served.uscc("clean")):
        assert value not in done.out + done.err
    report = tmp_path / "处罚.csv.rejected.xlsx"
    head, row = sheet(report, "未接受的行")
    assert head == ["行", "列", "原因", "可接受的值", *HEADER.split(",")]
    assert (row[0], row[5:7]) == (2.0, ["罚甲2", "没有这种处罚"])
    assert str(report) in done.err
    again = await run(path)
    assert again.status == 2
    assert "已存在" in again.err
    columns = tmp_path / "map.yaml"
    columns.write_text("行: null\n列: null\n原因: null\n可接受的值: null\n", encoding="utf-8")
    mended = await run(report, "--sheet", "未接受的行", "--columns", str(columns))
    assert mended.status == 1, mended
    assert [line.split()[-1] for line in mended.out.splitlines()[1:6]] == ["1", "0", "0", "0", "1"]


async def test_a_file_without_bad_rows_leaves_no_report(
    served: GatewayFixture, run: Run, tmp_path: Path
) -> None:
    """Ends with 0; nothing of the upload is remembered."""
    path = tmp_path / "good.csv"
    path.write_text(rows_of(served, "罚乙1"), encoding="utf-8")
    done = await run(path)
    assert done.status == 0, done
    assert done.out.startswith("✔ good.csv → 行政处罚 (penalty)")
    assert names_in(tmp_path / "config" / "xinqiao" / "uploads") == set()
    assert names_in(tmp_path) == {"kit.json", "good.csv", "config"}


async def test_own_names_of_columns_in_a_workbook_are_mapped(
    served: GatewayFixture, run: Run, tmp_path: Path
) -> None:
    """The report finds the header by them, on the sheet that is named."""
    path, columns = tmp_path / "own.xlsx", tmp_path / "map.yaml"
    header = HEADER.replace("统一社会信用代码", "企业").replace("备注", "经办科室").split(",")
    with xlsxwriter.Workbook(path) as book:
        for name, kind in (("上月", "罚款"), ("本月", "没有")):
            sheet_of = book.add_worksheet(name)
            sheet_of.write_row(0, 0, header)
            row = [served.uscc("clean"), f"罚丙{name}", kind, "未按规定明码标价。", "2026-03-02"]
            sheet_of.write_row(1, 0, row)
    columns.write_text("企业: uscc\n经办科室: null\n", encoding="utf-8")
    done = await run(path, "--columns", str(columns), "--sheet", "本月", "--lang", "en")
    assert done.status == 1, done
    assert done.out.startswith("✘ own.xlsx → Administrative penalty (penalty)")
    _, row = sheet(tmp_path / "own.xlsx.rejected.xlsx", "Rejected rows")
    assert row[4:7] == [served.uscc("clean"), "罚丙本月", "没有"]


async def test_a_refused_file_ends_with_its_sentence(
    served: GatewayFixture, run: Run, tmp_path: Path
) -> None:
    """With 2, in the reader's language."""
    path = tmp_path / "own.csv"
    path.write_text(rows_of(served, "罚丙2").replace("备注", "经办科室"), encoding="utf-8")
    refused = await run(path)
    assert (refused.status, refused.out) == (2, "")
    assert "无法识别的列：“经办科室”" in refused.err
    assert "没有保存任何行" in refused.err


async def test_lost_connections_and_outages_are_outlasted(
    served: GatewayFixture, department: Caller, state: Path, tmp_path: Path
) -> None:
    """A cut part, one whose answer was lost, and a 503: each byte arrives once."""
    assert state
    path = tmp_path / "long.csv"
    path.write_text(rows_of(served, "罚丁1", "罚丁2", "罚丁3", remark=LONG), encoding="utf-8")
    assert path.stat().st_size > 2 * SMALLEST_PART

    def lost(request: httpx2.Request) -> httpx2.Response:
        network.handle_request(request).read()
        raise httpx2.ReadTimeout("lost", request=request)

    def unavailable(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, headers={"retry-after": "0"}, request=request)

    network = httpx2.HTTPTransport()
    transport = CutTransport(part_1=cut, part_2=lost, part_3=unavailable)
    job = await upload_over(department, path, transport)
    network.close()
    assert job.received == path.stat().st_size
    assert transport.offsets[:4] == [0, 0, SMALLEST_PART, SMALLEST_PART]


async def test_an_outage_that_lasts_ends_it_and_the_next_start_goes_on(
    served: GatewayFixture, department: Caller, run: Run, tmp_path: Path
) -> None:
    """After the tries of the policy; what has arrived is not sent again."""
    path = tmp_path / "long.csv"
    path.write_text(rows_of(served, "罚戊1", "罚戊2", "罚戊3", remark=LONG), encoding="utf-8")
    transport = CutTransport(**{f"part_{number}": cut for number in range(2, 9)})
    with pytest.raises(errors.ServerUnavailable):
        await upload_over(department, path, transport)
    assert len(transport.offsets) == 2 + QUICK.retries
    done = await run(path, "--no-wait")
    assert done.status == 0, done
    share = SMALLEST_PART / path.stat().st_size
    assert f"接着上次继续上传（已完成 {share:.0%}）" in done.err
    assert "任务编号 upl_" in done.err
    (job,) = await jobs_of(department)
    assert job["received"] == job["length"]


_KILLED = """
import os, sys
from pathlib import Path
import httpx2
from xinqiao.cli._language import Language
from xinqiao.cli.deliver.delivery import Options, prepare
from xinqiao.cli.deliver.upload_client import UploadClient
from xinqiao.cli.deliver.uploading import upload

class Killing(httpx2.HTTPTransport):
    def handle_request(self, request):
        if request.headers.get("upload-offset", "0") != "0":
            os._exit(9)
        return super().handle_request(request)

options = Options(dataset="penalty", report=None, overwrite=False, columns=None,
                  ignore_unknown=False, format=None, encoding=None, sheet=None)
with UploadClient.from_kit(sys.argv[1], "source", transport=Killing()) as client:
    upload(client, prepare(Path(sys.argv[2]), options, Language.ZH), anew=False)
"""


async def test_a_killed_upload_goes_on_and_a_changed_file_begins_anew(
    served: GatewayFixture, department: Caller, run: Run, kit: Path, tmp_path: Path
) -> None:
    """Killed between two parts; only the same file with the same options is taken up."""
    path = tmp_path / "long.csv"
    path.write_text(rows_of(served, "罚己1", "罚己2", "罚己3", remark=LONG), encoding="utf-8")
    killed = await asyncio.create_subprocess_exec(*PYTHON, _KILLED, str(kit), str(path))
    assert await asyncio.wait_for(killed.wait(), PATIENCE) == 9
    (first,) = await jobs_of(department)
    assert (first["state"], first["received"]) == ("receiving", SMALLEST_PART)
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("罚己3", "罚己4"), encoding="utf-8")
    other = await run(path, "--no-wait")
    path.write_text(content, encoding="utf-8")
    same = await run(path, "--no-wait")
    assert (other.status, same.status) == (0, 0), (other, same)
    assert ("接着上次" in other.err, "接着上次" in same.err) == (False, True)
    found = await jobs_of(department)
    assert len(found) == 2
    assert {each["received"] for each in found} == {first["length"]}


async def test_a_file_that_changes_while_it_is_sent_is_not_finished(
    served: GatewayFixture, department: Caller, state: Path, tmp_path: Path
) -> None:
    """It stops with a sentence, and the gateway takes nothing of it."""
    assert state
    path = tmp_path / "long.csv"
    path.write_text(rows_of(served, "罚庚1", "罚庚2", "罚庚3", remark=LONG), encoding="utf-8")

    def append(request: httpx2.Request) -> httpx2.Response:
        with path.open("a", encoding="utf-8") as file:
            file.write("x")
        return cut(request)

    with pytest.raises(InputError, match="was changed while it was uploaded"):
        await upload_over(department, path, CutTransport(part_2=append))
    assert [each["state"] for each in await jobs_of(department)] == ["receiving"]


async def test_an_interrupted_upload_says_how_it_goes_on(
    served: GatewayFixture,
    department: Caller,
    state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C ends with 130 and one sentence."""
    assert state
    said = StringIO()
    monkeypatch.setattr(_printing.notes, "_file", said)
    path = tmp_path / "short.csv"
    path.write_text(rows_of(served, "罚辛1"), encoding="utf-8")

    def interrupt(_: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        await upload_over(department, path, CutTransport(part_1=interrupt))
    assert ended.value.exit_code == 130
    assert "The same command goes on where it was." in said.getvalue()


async def test_without_waiting_the_same_command_shows_the_result_later(
    served: GatewayFixture, department: Caller, run: Run, tmp_path: Path
) -> None:
    """The file is uploaded once."""
    path = tmp_path / "later.csv"
    path.write_text(rows_of(served, "罚壬1"), encoding="utf-8")
    arrived = await run(path, "--no-wait")
    assert arrived.status == 0, arrived
    (job,) = await jobs_of(department)
    assert job["job_id"] in arrived.out
    done = await run(path)
    assert done.status == 0, done
    assert "这个文件上次已传完" in done.err
    assert len(await jobs_of(department)) == 1


async def test_an_unknown_dataset_ends_with_2(
    served: GatewayFixture, department: Caller, run: Run, tmp_path: Path
) -> None:
    """Nothing is left behind."""
    path = tmp_path / "good.csv"
    path.write_text(rows_of(served, "罚癸1"), encoding="utf-8")
    unknown = await run(path, "--dataset", "nothing")
    assert (unknown.status, await jobs_of(department)) == (2, [])
    assert "unknown_dataset" in unknown.err
    mistyped = await run(path, "--dataset", "licences")
    assert "没有 licences，是否为 licence？" in mistyped.err
