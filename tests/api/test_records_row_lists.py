"""Lists of a job's rejected rows and warnings, and problems of a call, in the caller's language."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.gateway_fixture import GatewayFixture
from tests.records_builders import (
    act,
    call_as_source,
    deliver,
    get,
    make_act,
    make_department,
    make_penalty,
    upload,
    wait_for_job,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}


def as_csv(*rows: dict[str, Any]) -> bytes:
    """A department's own file, with Chinese columns."""
    header = "统一社会信用代码,处罚决定书文号,处罚类别,处罚决定日期,source_time"
    names = ("uscc", "document_number", "kinds", "decided_on", "source_time")
    lines = (",".join(str(row.get(name, "")) for name in names) for row in rows)
    return "\n".join((header, *lines, "")).encode()


async def test_what_the_merge_finds_is_listed_with_its_row(gateway: GatewayFixture) -> None:
    """Older rows and those of records that stay withdrawn, beside what validation finds."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    held, gone = (make_penalty(gateway, uscc, kinds=["警告"]) for _ in range(2))
    await deliver(source, "penalty", held, gone)
    await act(source, make_act(gone, "withdraw"))
    before = (gateway.clock() - timedelta(days=1)).isoformat()
    rows: list[dict[str, Any]] = [
        {**held, "kinds": "罚款", "source_time": before},
        {**held, "kinds": "罚金"},
        {**gone, "kinds": "罚款"},
    ]
    job_id = await upload(source, as_csv(*rows), filename="处罚.csv")
    job = await wait_for_job(source, job_id)
    assert (job["rejected"], job["warnings"]) == (1, {"older_than_held": 1, "stays_withdrawn": 1})
    path = f"/v1/records/jobs/{job_id}"
    warnings = (await get(source, f"{path}/warnings", **CHINESE)).text.splitlines()
    assert [json.loads(line) for line in warnings] == [
        {
            "row": 1, "field": "?", "code": "older_than_held",
            "reason": "来源时间早于已有记录，未替换",
        },
        {"row": 3, "field": "?", "code": "stays_withdrawn", "reason": "记录已撤回，报送不恢复"},
    ]  # fmt: skip
    rejects = await get(source, f"{path}/rejects", **CHINESE)
    assert rejects.text.splitlines() == [
        "row,field,reason,column,code,accepted",
        "2,kinds,不是目录规定的取值,处罚类别,not_in_catalogue,罚款",
    ]
    assert "charset=utf-8" in rejects.headers["Content-Type"]


async def test_a_job_says_that_its_list_was_cut(
    gateway: GatewayFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As does the last line of the list."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = as_csv(*(make_penalty(gateway, uscc, kinds="龘") for _ in range(40)))
    whole = await wait_for_job(source, await upload(source, rows[:-1], filename="a.csv"))
    assert (whole["rejected"], whole["lists_cut"]) == (40, False)
    monkeypatch.setattr("gateway.ingest.row_lists.list_file.MAX_LIST_BYTES", 1_500)
    cut = await wait_for_job(source, await upload(source, rows, filename="a.csv"))
    assert (cut["rejected"], cut["lists_cut"]) == (40, True)
    path = f"/v1/records/jobs/{cut['job_id']}/rejects"
    lines = (await get(source, path, **CHINESE)).text.splitlines()
    assert lines[-1].startswith(f"{len(lines) - 1},?,清单已满")


async def test_problems_of_a_call_are_in_the_callers_language(gateway: GatewayFixture) -> None:
    """Of rows and of acts, with code and what is accepted."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    bad = make_penalty(gateway, uscc, kinds=["罚金"], decided_on="2026年3月")
    body = {"dataset": "penalty", "records": [bad]}
    said = (await call_as_source(source, "/v1/records", body, headers=CHINESE)).json()["results"][0]
    assert [(each["field"], each["code"], each["accepted"]) for each in said["problems"]] == [
        ("kinds", "not_in_catalogue", "罚款"),
        ("decided_on", "not_a_date", "2026-03-02、2026/3/2、20260302、2026年3月2日、2026.3.2"),
    ]
    assert said["problems"][1]["reason"] == "不是有效日期"
    (english,) = await deliver(source, "penalty", bad)
    assert english["problems"][0]["accepted"] == "罚款 (Fine)"
    acts = {"actions": [make_act(bad, "repair")]}
    (done,) = (await call_as_source(source, "/v1/records/actions", acts, headers=CHINESE)).json()[
        "results"
    ]
    assert done["problems"] == [
        {"field": "key", "reason": "本单位没有此记录", "code": "unknown_record", "accepted": ""}
    ]
