"""Tour step on delivery: the department's national template with a bad row, and the report of it."""

import asyncio
import csv
import io
import os
import secrets
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import python_calamine
from rich.markup import escape

from gateway.access.serializers.timestamps import SHANGHAI
from gateway.synthetic.demo.state import write_private
from gateway.synthetic.tour.context import TourContext, require

SOME_REJECTED: Final = 1
HEAD_AND_ROW: Final = 2
HEADER: Final = (
    "行政相对人名称", "行政相对人类别", "行政相对人代码_1(统一社会信用代码)", "法定代表人",
    "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别", "处罚内容",
    "罚款金额（万元）", "处罚决定日期", "处罚机关", "备注",
)  # fmt: skip
"""Columns of the national template of administrative penalties."""


async def delivery(context: TourContext) -> None:
    """Three rows: one that is taken, one of a natural person, one with a kind that there is not."""
    file = context.folder / "penalties.csv"
    write_private(file, _template(context))
    command = ("deliver", str(file), "--dataset", "penalty")
    kit = str(context.folder / "kit.json")
    context.print_line(f"[bold]xinqiao deliver {file.name} --dataset penalty[/]")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xinqiao", *command, "--kit", kit, "--force", "--lang", "zh",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    told, _ = await process.communicate()
    for line in told.decode().splitlines():
        context.print_line(escape(line))
    require(process.returncode == SOME_REJECTED, f"deliver ended with {process.returncode}")
    _show_report(context, file.with_name(f"{file.name}.rejected.xlsx"))


def _template(context: TourContext) -> str:
    """The file as a department's system writes it: with a title above the header."""
    uscc = context.kit["consents"]["active"]["uscc"]
    subject = next(each for each in context.kit["subjects"] if each["uscc"] == uscc)
    today = datetime.now(SHANGHAI).date()
    day = (today - timedelta(days=30)).strftime("%Y/%m/%d")
    number = secrets.randbelow(10**6)
    good = {
        "行政相对人名称": subject["name"],
        "行政相对人类别": "法人及非法人组织",
        "行政相对人代码_1(统一社会信用代码)": uscc,
        "法定代表人": subject["legal_representative"],
        "违法行为类型": "未按规定明码标价（合成）",
        "处罚类别": "罚款;没收违法所得",
        "罚款金额（万元）": "0.6",
        "处罚决定日期": day,
    }
    person = {"行政相对人类别": "自然人", "行政相对人代码_1(统一社会信用代码)": ""}
    text = io.StringIO()
    text.write("行政处罚信息（合成）\n")
    writer = csv.DictWriter(text, HEADER, restval="")
    writer.writeheader()
    for place, changed in enumerate(({}, {"处罚类别": "罚金"}, person), start=1):
        document = f"（合成）罚〔{today.year}〕{number:06}-{place}号"
        writer.writerow({**good, "行政处罚决定书文号": document, **changed})
    return text.getvalue()


def _show_report(context: TourContext, path: Path) -> None:
    """Print the rejected row as the workbook has it."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_index(0).to_python()
    require(len(rows) == HEAD_AND_ROW, f"the report has {len(rows)} rows")
    head, row = rows
    told = dict(zip(head, row, strict=True))
    require(told["处罚类别"] == "罚金", "the report has another row")
    context.print_line(
        f"in the workbook: 第 {told['行']:.0f} 行 · {told['列']}: [red]{told['处罚类别']}[/], "
        f"{told['原因']} · {told['可接受的值']}"
    )
