"""Uploads by tus: parts, ingest job, reject list, limits, isolation of sources."""

import asyncio
import base64
import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.background.ingest_worker import IngestWorker
from gateway.ingest.merge.merge_batch import lock_dataset
from gateway.records.spool import Spool, SpoolFullError
from gateway.records.uploads import MAX_FINISHED
from tests.gateway_fixture import GatewayFixture
from tests.records_builders import (
    SCOPE,
    UPLOADS,
    call_as_source,
    create,
    get,
    head,
    lines,
    make_department,
    make_penalty,
    patch,
    upload,
    upload_headers,
    wait_for_job,
)
from tests.waiting import eventually
from tests.workbook_builders import workbook

VECTORS = Path(__file__).parents[1] / "vectors"
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]


def spool(gateway: GatewayFixture) -> Path:
    """The upload folder."""
    assert gateway.settings.spool is not None
    return gateway.settings.spool


async def test_options_lists_what_is_supported(gateway: GatewayFixture) -> None:
    """OPTIONS without token or version."""
    answer = gateway.checked(await gateway.http.request("OPTIONS", UPLOADS))
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert {"creation", "expiration", "checksum"} <= set(answer.headers["Tus-Extension"].split(","))
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer.headers["Tus-Max-Size"]) > 0


async def test_a_file_in_parts_becomes_records(gateway: GatewayFixture) -> None:
    """Parts continue at the offset; the source reads the job's counts and rejects."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    good, warned = (
        make_penalty(gateway, uscc),
        make_penalty(gateway, uscc, facts="身份证330106199001011234"),
    )
    bad = make_penalty(gateway, uscc, fine="-x", kinds=["没有"])
    content = lines(good, bad, warned)
    path = await create(source, content, filename="../../etc/处罚 2026.ndjson")
    cut = len(content) // 2
    first = await patch(source, path, 0, content[:cut])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, str(cut))
    assert first.headers["Tus-Resumable"] == "1.0.0"
    assert "GMT" in first.headers["Upload-Expires"]
    asked = await head(source, path)
    assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (
        str(cut), str(len(content)),
    )  # fmt: skip
    assert asked.headers["Cache-Control"] == "no-store"
    again = await patch(source, path, 0, content[:cut])
    assert again.status_code == 409
    with gateway.clock.later(minutes=1):
        nothing = await patch(source, path, cut, b"")
    assert nothing.headers["Upload-Expires"] == asked.headers["Upload-Expires"]
    digest = base64.b64encode(hashlib.sha1(content[cut:]).digest()).decode()  # noqa: S324  # tus
    last = await patch(source, path, cut, content[cut:], Upload_Checksum=f"sha1 {digest}")
    assert last.status_code == 204, last.text
    job = await wait_for_job(source, path.rpartition("/")[2])
    assert (job["state"], job["sentence"], job["file_name"]) == ("done", None, "处罚 2026.ndjson")
    assert {n: job[n] for n in ("rows", "created", "updated", "unchanged", "rejected")} == {
        "rows": 3, "created": 2, "updated": 0, "unchanged": 0, "rejected": 1,
    }  # fmt: skip
    assert job["warnings"] == {"id_number_masked": 1}
    rejects = await get(source, f"/v1/records/jobs/{job['job_id']}/rejects")
    header, *rows = rejects.text.splitlines()
    assert (header, {row.split(",")[:2][1] for row in rows}) == (
        "row,field,reason,column,code,accepted",
        {"fine", "kinds"},
    )
    as_lines = await get(
        source, f"/v1/records/jobs/{job['job_id']}/rejects", Accept="application/x-ndjson"
    )
    assert {json.loads(line)["row"] for line in as_lines.text.splitlines()} == {2}
    masked = await get(source, f"/v1/records/jobs/{job['job_id']}/warnings")
    assert masked.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in masked.text.splitlines()] == [
        {
            "row": 3, "field": "facts", "kind": "id", "start": 3, "length": 18, "column": "facts",
            "code": "id_number_masked", "reason": "a number of a person's document was masked",
        }
    ]  # fmt: skip
    as_csv = await get(source, f"/v1/records/jobs/{job['job_id']}/warnings", Accept="text/csv")
    assert as_csv.text == (
        "row,field,item,kind,start,length,column,code,reason\n"
        "3,facts,,id,3,18,facts,id_number_masked,a number of a person's document was masked\n"
    )
    records = (await bank.query(uscc, "penalty")).json()["records"]
    numbers = {each["fields"]["document_number"] for each in records}
    assert {good["document_number"], warned["document_number"]} <= numbers
    assert bad["document_number"] not in numbers
    assert not Spool(spool(gateway)).file(job["job_id"]).exists()
    listed = (await get(source, "/v1/records/jobs")).json()["jobs"]
    assert [each["job_id"] for each in listed] == [job["job_id"]]


async def test_a_national_template_with_persons_leaves_nothing_of_them(
    gateway: GatewayFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In no table, list, log or answer; they are counted, and columns that are not kept are listed."""
    source = await make_department(gateway)
    template = (VECTORS / "penalty_national_template.csv").read_text(encoding="utf-8-sig")
    header, row = template.strip().splitlines()
    name, number, phone, address = "冼逸凡", "330106199001011237", "13912345678", "文三路8号2幢"
    cells = row.split(",")
    cells[:3] = name, "自然人", ""
    cells[8], cells[12] = name, number
    cells[15] = f"{name}（住{address}，电话{phone}）"
    wrong = [*cells[:18], "没有这个日子", *cells[19:]]
    content = "\n".join((header, row, ",".join(cells), ",".join(wrong), ""))
    job = await wait_for_job(
        source, await upload(source, content.encode("gb18030"), filename="处罚.csv")
    )
    assert (job["state"], job["sentence"]) == ("done", None)
    counts = {each: job[each] for each in ("rows", "created", "rejected", "passed_over")}
    assert counts == {"rows": 3, "created": 1, "rejected": 0, "passed_over": 2}
    assert job["warnings"] == {}
    assert "法定代表人证件号码" in job["ignored_columns"]
    said = [json.dumps(job), capsys.readouterr().out, capsys.readouterr().err]
    for each in ("rejects", "warnings"):
        listed = await get(source, f"/v1/records/jobs/{job['job_id']}/{each}")
        said.append(listed.text)
    tables = await gateway.rows(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    for table in tables:
        rows = f"SELECT CAST(t AS text) AS held FROM {table['name']} AS t"  # noqa: S608  # tables
        said += [found["held"] for found in await gateway.rows(rows)]
    files = [each.read_bytes() for each in spool(gateway).iterdir() if each.is_file()]
    for secret in (name, number, phone, address):
        assert not any(secret in each for each in said)
        assert not any(secret.encode() in each for each in files)
    assert any("杭西市监罚处〔2026〕101号" in each for each in said)


async def test_a_departments_own_columns_are_mapped(gateway: GatewayFixture) -> None:
    """By `columns` in the metadata; unknown ones are left out on request."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    content = f"信用代码,决定书,经办科室\n{uscc},许9,三科\n".encode()
    said = {"dataset": "licence", "filename": "许可.txt"}
    refused = await wait_for_job(source, await upload(source, content, **said))
    assert refused["state"] == "stopped"
    assert "“经办科室”" not in refused["sentence"]
    columns = json.dumps({"信用代码": "uscc", "决定书": "许可决定文书号"}, ensure_ascii=False)
    refused = await wait_for_job(source, await upload(source, content, columns=columns, **said))
    assert "“经办科室”" in refused["sentence"]
    job = await wait_for_job(
        source, await upload(source, content, columns=columns, ignore_unknown="true", **said)
    )
    assert (job["state"], job["created"], job["ignored_columns"]) == ("done", 1, ["经办科室"])


async def test_packed_csv_too(gateway: GatewayFixture) -> None:
    """By the file name's ending."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    text = f"uscc,number,name\n{uscc},许1,许可\n{uscc},许2,许可\n"
    content = gzip.compress(text.encode())
    job = await wait_for_job(
        source, await upload(source, content, dataset="licence", filename="a.CSV.gz")
    )
    assert (job["state"], job["created"]) == ("done", 2)


async def test_the_same_file_again_counts_again(gateway: GatewayFixture) -> None:
    """All rows unchanged; and it overrides deliveries in between."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    content = lines(penalty)
    assert (await wait_for_job(source, await upload(source, content)))["created"] == 1
    assert (await wait_for_job(source, await upload(source, content)))["unchanged"] == 1
    other = lines(penalty | {"fine": "3"})
    assert (await wait_for_job(source, await upload(source, other)))["updated"] == 1
    assert (await wait_for_job(source, await upload(source, content)))["updated"] == 1


async def test_a_workbook_is_ingested_by_the_sheet_that_is_named(gateway: GatewayFixture) -> None:
    """Two sheets fit: without a name the sentence lists them, with one its rows are taken."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    header = ["统一社会信用代码", "处罚决定书文号", "处罚类别", "处罚决定日期"]
    sheets = {"2025年": [header, [uscc, "罚1", "罚款", "2025-03-02"]]}
    content = workbook([header, [uscc, "罚2", "罚款", date(2026, 3, 2)]], sheets)
    said = {"filename": "处罚.XLSX", "encoding": "utf-8"}
    stopped = await wait_for_job(source, await upload(source, content, **said))
    assert stopped["state"] == "stopped"
    assert "2025年, 数据" in stopped["sentence"]
    for sheet in ("2025年", "数据"):
        done = await wait_for_job(source, await upload(source, content, **said, sheet=sheet))
        assert (done["state"], done["created"], done["rejected"]) == ("done", 1, 0)
    sql = "SELECT sheet FROM intake_job WHERE file_digest = :digest"
    (job,) = await gateway.rows(sql, digest=hashlib.sha256(content).digest())
    assert job["sheet"] == "数据"


@pytest.mark.parametrize(
    ("content", "said", "sentence"),
    [
        (b"\x00\x01\x02" * 50, {"filename": "x.csv"}, ""),
        ("编号,名称\n".encode("gb18030"), {"filename": "x.csv", "dataset": "licence"}, ""),
        (b"PK\x03\x04zip", {"filename": "x.csv"}, ""),
        (b"[{}]", {}, "one object per line"),
        (gzip.compress(b"{}\n" * 9, mtime=0)[:-9], {}, ""),
        (b"PAR1nothing", {"format": "parquet"}, ""),
        (b"<html></html>", {"filename": "x.xls"}, "no Excel workbook"),
        (b"PK\x03\x04", {"filename": "x.xlsx"}, "damaged"),
        (b"other,columns\n1,2\n", {"filename": "x.csv"}, "header"),
    ],
)
async def test_a_malformed_file_is_refused_in_one_sentence(
    gateway: GatewayFixture, content: bytes, said: dict[str, str], sentence: str
) -> None:
    """The upload folder is empty afterwards."""
    source = await make_department(gateway)
    job = await wait_for_job(source, await upload(source, content, **said))
    assert job["state"] == "stopped"
    assert sentence in job["sentence"]
    assert 10 < len(job["sentence"]) < 1_000
    chinese = await get(source, f"/v1/records/jobs/{job['job_id']}", Accept_Language="zh-CN")
    assert re.search("[\u4e00-\u9fff].*。$", chinese.json()["sentence"])
    assert "Traceback" not in job["sentence"]
    assert str(spool(gateway)) not in job["sentence"]
    assert not Spool(spool(gateway)).file(job["job_id"]).exists()


async def test_a_file_delivered_several_times_at_once_lists_its_rejects_each_time(
    gateway: GatewayFixture,
) -> None:
    """Each job has the complete list."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    content = lines(make_penalty(gateway, uscc), {"uscc": "x"})
    jobs = await asyncio.gather(*(upload(source, content) for _ in range(3)))
    for job_id in jobs:
        assert (await wait_for_job(source, job_id))["rejected"] == 1
        listed = await get(source, f"/v1/records/jobs/{job_id}/rejects")
        assert "2,uscc,not a unified social credit code" in listed.text


async def test_another_digest_than_announced_takes_nothing(gateway: GatewayFixture) -> None:
    """The digest is verified before the first row."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    content = lines(make_penalty(gateway, uscc))
    job = await wait_for_job(source, await upload(source, content, sha256="0" * 64))
    assert (job["state"], job["created"]) == ("stopped", 0)
    assert "SHA-256" in job["sentence"]


async def test_a_part_with_a_wrong_checksum_is_not_kept(gateway: GatewayFixture) -> None:
    """460 by tus, 400 by Content-Digest; the offset stays."""
    source = await make_department(gateway)
    content = lines(make_penalty(gateway, gateway.uscc("clean")))
    path = await create(source, content)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    refused = await patch(source, path, 0, content, Upload_Checksum=f"sha256 {wrong}")
    assert (refused.status_code, refused.json()["code"]) == (460, "checksum_mismatch")
    refused = await patch(source, path, 0, content, Content_Digest=f"sha-256=:{wrong}:")
    assert (refused.status_code, refused.json()["code"]) == (400, "digest_mismatch")
    unknown = await patch(source, path, 0, content, Upload_Checksum=f"md5 {wrong}")
    assert unknown.status_code == 400
    assert (await head(source, path)).headers["Upload-Offset"] == "0"
    assert (await patch(source, path, 0, content)).status_code == 204


async def test_two_parts_at_once_one_is_kept(gateway: GatewayFixture) -> None:
    """The other is told to ask for the offset."""
    source = await make_department(gateway)
    content = b"x" * 3_000_000
    path = await create(source, content)
    answers = await asyncio.gather(*(patch(source, path, 0, content[:2_000_000]) for _ in range(3)))
    assert min(a.status_code for a in answers) == 204
    assert {a.status_code for a in answers} <= {204, 409, 423}
    assert [a.status_code for a in answers].count(204) == 1
    assert (await head(source, path)).headers["Upload-Offset"] == "2000000"


async def test_the_protocol_is_kept(gateway: GatewayFixture) -> None:
    """Version, media type, offset and length: each with its status."""
    source = await make_department(gateway)
    content = b"x" * 100
    path = await create(source, content)
    cases: list[tuple[dict[str, str | None], int, bytes, int]] = [
        ({"Tus_Resumable": "0.2.2"}, 0, b"x", 412),
        ({"Tus_Resumable": None}, 0, b"x", 412),
        ({"Content_Type": "text/csv"}, 0, b"x", 415),
        ({}, 7, b"x", 409),
        ({}, 7, b"x" * 101, 409),
        ({"Upload_Offset": "-1"}, 0, b"x", 400),
        ({"Upload_Offset": None}, 0, b"x", 400),
        ({}, 0, b"x" * 101, 413),
    ]
    for headers, offset, part, status in cases:
        answer = await patch(source, path, offset, part, **headers)
        assert answer.status_code == status, (headers, answer.text)
    assert (await head(source, path)).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "changed",
    [
        {"Upload-Length": None}, {"Upload-Length": "0"}, {"Upload-Length": "1e3"},
        {"Upload-Length": "9" * 30}, {"Upload-Defer-Length": "1"},
        {"Upload-Metadata": None}, {"Upload-Metadata": "dataset"}, {"Upload-Metadata": "dataset !!!"},
        {"Upload-Metadata": "dataset cGVuYWx0eQ==,dataset cGVuYWx0eQ=="},
        {"Upload-Metadata": "x" * 9000},
    ],
)  # fmt: skip
async def test_a_creation_of_another_form_is_a_problem(
    gateway: GatewayFixture, changed: dict[str, str | None]
) -> None:
    """400, and nothing is created."""
    source = await make_department(gateway)
    response = await call_as_source(source, UPLOADS, b"", headers=upload_headers(b"x") | changed)
    assert response.status_code == 400
    assert (await get(source, "/v1/records/jobs")).json()["jobs"] == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"sha256": "abc"}, 400), ({"dataset": "gossip"}, 400), ({"dataset": "registration"}, 403),
        ({"filename": "x.exe"}, 400), ({"encoding": "latin-1"}, 400), ({"format": "ods"}, 400),
        ({"format": "xlsx", "sheet": ""}, 400), ({"format": "xlsx", "sheet": "表" * 101}, 400),

        ({"owner": "me"}, 400), ({"columns": "[1]"}, 400), ({"columns": '{"a": 1}'}, 400),
        ({"ignore_unknown": "yes"}, 400),
    ],
)  # fmt: skip
async def test_the_metadata_of_an_upload_is_checked(
    gateway: GatewayFixture, said: dict[str, str], status: int
) -> None:
    """The dataset by the agreement; format and encoding are required."""
    source = await make_department(gateway)
    response = await call_as_source(source, UPLOADS, b"", headers=upload_headers(b"x", **said))
    assert response.status_code == status, response.text


async def test_space_is_bounded(gateway: GatewayFixture) -> None:
    """The limit is for a source's unfinished files; deleting makes room."""
    source = await make_department(gateway)
    room = gateway.settings.spool_per_source
    huge = upload_headers(b"x") | {"Upload-Length": str(room)}
    first = await call_as_source(source, UPLOADS, b"", headers=huge)
    if first.status_code == 503:
        pytest.fail("the machine has no room for this test")
    assert first.status_code == 201, first.text
    refused = await call_as_source(source, UPLOADS, b"", headers=upload_headers(b"x"))
    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
    other = await make_department(gateway)
    assert (
        await call_as_source(other, UPLOADS, b"", headers=upload_headers(b"x"))
    ).status_code == 201
    path = first.headers["Location"].removeprefix(gateway.issuer)
    gone = await source.send(
        path, b"", method="DELETE", scope=SCOPE, headers={"Tus-Resumable": "1.0.0"}
    )
    assert gone.status_code == 204
    assert (await head(source, path)).status_code == 404
    assert (
        await call_as_source(source, UPLOADS, b"", headers=upload_headers(b"x"))
    ).status_code == 201


async def test_a_file_that_can_never_be_taken_is_not_put_off(gateway: GatewayFixture) -> None:
    """413 beyond `Tus-Max-Size`, whatever space is left."""
    source = await make_department(gateway)
    endless = upload_headers(b"x") | {"Upload-Length": "9" * 16}
    refused = await call_as_source(source, UPLOADS, b"", headers=endless)
    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")


async def test_a_part_beyond_the_free_disk_space_is_not_written(tmp_path: Path) -> None:
    """Other sources may have filled the disk since the creation."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 100

    upload_id = "upl_" + "a" * 26
    full = Spool(tmp_path, reserve=1 << 60)
    with pytest.raises(SpoolFullError):
        await full.write(upload_id, 0, 100, chunks(), ("sha256",), max_seconds=9)
    assert full.file(upload_id).stat().st_size == 0
    part = await Spool(tmp_path, reserve=0).write(
        upload_id, 0, 100, chunks(), ("sha256",), max_seconds=9
    )
    assert (part.length, part.is_whole) == (100, True)


async def test_the_newest_finished_uploads_are_kept(gateway: GatewayFixture) -> None:
    """So that reject lists do not fill the disk."""
    source, other = await make_department(gateway), await make_department(gateway)
    await gateway.rows(
        "INSERT INTO intake_upload (upload_id, source_id, dataset, format, encoding, length, received,"
        " sha256, state, attempts, created_at, expires_at)"
        " SELECT 'upl_' || lpad(translate(CAST(n AS text), '0189', 'abcd'), 26, 'z'),"
        " CASE WHEN n = 0 THEN :other ELSE :source END, 'penalty', 'csv', 'utf-8', 1, 1,"
        " decode(repeat('00', 32), 'hex'), 'done',"
        " 1, CAST(:now AS timestamptz) - n * interval '1 second',"
        " CAST(:now AS timestamptz) + interval '1 day' FROM generate_series(0, :most + 3) AS n",
        source=source.client_id, other=other.client_id, now=gateway.clock(), most=MAX_FINISHED,
    )  # fmt: skip
    worker = IngestWorker(current=lambda: gateway.runtime, spool=Spool(spool(gateway)))
    await worker.clean_up()
    kept = await gateway.rows(
        "SELECT source_id, count(*) AS n FROM intake_upload GROUP BY 1 ORDER BY 2"
    )
    assert [(row["source_id"], row["n"]) for row in kept] == [
        (other.client_id, 1),
        (source.client_id, MAX_FINISHED),
    ]


async def test_an_unfinished_upload_expires(gateway: GatewayFixture) -> None:
    """404, and the bytes are deleted."""
    source = await make_department(gateway)
    path = await create(source, b"x" * 100)
    await patch(source, path, 0, b"x" * 10)
    file = Spool(spool(gateway)).file(path.rpartition("/")[2])
    assert file.stat().st_size == 10
    assert file.stat().st_mode & 0o777 == 0o600
    with gateway.clock.later(hours=25):
        assert (await head(source, path)).status_code == 404
        assert (await patch(source, path, 10, b"x")).status_code == 404
        await IngestWorker(current=lambda: gateway.runtime, spool=Spool(spool(gateway))).clean_up()
    assert not file.exists()


async def test_a_source_sees_its_own_uploads_and_jobs_only(gateway: GatewayFixture) -> None:
    """404 for other sources."""
    owner, thief = await make_department(gateway), await make_department(gateway)
    content = lines(make_penalty(gateway, gateway.uscc("clean"), fine="-"))
    path = await create(owner, content)
    job_id = path.rpartition("/")[2]
    assert (await head(thief, path)).status_code == 404
    assert (await patch(thief, path, 0, content)).status_code == 404
    version = {"Tus-Resumable": "1.0.0"}
    gone = await thief.send(path, b"", method="DELETE", scope=SCOPE, headers=version)
    assert gone.status_code == 404
    await patch(owner, path, 0, content)
    await wait_for_job(owner, job_id)
    lists = (f"/v1/records/jobs/{job_id}/{name}" for name in ("rejects", "warnings"))
    for of in (f"/v1/records/jobs/{job_id}", *lists):
        assert (await get(thief, of)).status_code == 404
        assert (await get(owner, of)).status_code == 200
    assert (await get(thief, "/v1/records/jobs")).json() == {"jobs": []}
    bank = await gateway.client()
    assert (await get(bank, f"/v1/records/jobs/{job_id}")).status_code == 403


async def test_a_job_ends_with_its_agreement(gateway: GatewayFixture) -> None:
    """The job ends with it."""
    source = await make_department(gateway)
    content = lines(make_penalty(gateway, gateway.uscc("clean")))
    path = await create(source, content)
    job_id = path.rpartition("/")[2]
    later = gateway.clock() + timedelta(hours=1)
    await gateway.rows(
        "UPDATE intake_upload SET held_until = :later WHERE upload_id = :id", later=later, id=job_id
    )
    await gateway.rows(
        "UPDATE intake_upload SET held_until = NULL WHERE upload_id = :id", id=job_id
    )
    await patch(source, path, 0, content[:5])
    await gateway.rows(
        "UPDATE agreement SET ended_at = now() WHERE client_id = :id", id=source.client_id
    )
    refused = await patch(source, path, 5, content[5:])
    assert (refused.status_code, refused.json()["code"]) == (403, "agreement_ended")


async def test_a_job_stops_when_its_source_is_suspended(gateway: GatewayFixture) -> None:
    """The job stops."""
    source = await make_department(gateway)
    state = "SELECT state, sentence FROM intake_upload WHERE source_id = :id"
    async with gateway.runtime.engine.begin() as connection:
        await lock_dataset(connection, source.client_id, "penalty")  # as long as a large file takes
        await upload(source, lines(make_penalty(gateway, gateway.uscc("clean"))))
        await _until(gateway, state, source.client_id, "running")
        await gateway.rows(
            "UPDATE client SET state = 'suspended' WHERE client_id = :id", id=source.client_id
        )
        stopped = await _until(gateway, state, source.client_id, "stopped")
    assert stopped["sentence"] == f"{source.client_id} is suspended."
    held = "SELECT 1 FROM record WHERE source_id = :id"
    assert await gateway.rows(held, id=source.client_id) == []


async def _until(gateway: GatewayFixture, sql: str, source_id: str, state: str) -> dict[str, str]:
    """The upload once it is in this state."""

    async def there() -> dict[str, str] | None:
        (found,) = await gateway.rows(sql, id=source_id)
        return found if found["state"] == state else None

    found = await eventually(there)
    assert found is not None
    return found


async def test_a_taker_that_died_is_followed_by_another(gateway: GatewayFixture) -> None:
    """After the claim expires, without loss or double counting."""
    source = await make_department(gateway)
    content = lines(*(make_penalty(gateway, gateway.uscc("clean")) for _ in range(20)))
    job_id = await upload(source, content)
    await wait_for_job(source, job_id)
    Spool(spool(gateway)).file(job_id).write_bytes(content)
    await gateway.rows(
        "UPDATE intake_upload SET state = 'running', counts = NULL, holder = 'a dead worker',"
        " held_until = now() - interval '1 second' WHERE upload_id = :id",
        id=job_id,
    )
    job = await wait_for_job(source, job_id)
    assert (job["state"], job["rows"], job["created"]) == ("done", 20, 20)
