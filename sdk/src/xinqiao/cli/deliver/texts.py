"""Texts of `xinqiao deliver` in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xinqiao.cli._language import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "reading_file": ("读取文件", "reading the file"),
    "uploading": ("上传", "uploading"),
    "taking_rows": ("网关正在处理：已处理 {rows} 行", "the gateway is taking the rows: {rows}"),
    "reporting": ("取回结果", "fetching the result"),
    "upload_resumed": (
        "接着上次继续上传（已完成 {share}）",
        "going on where the last upload was cut ({share})",
    ),
    "job_resumed": (
        "这个文件上次已传完，以下是它的结果",
        "this file had arrived before; this is its result",
    ),
    "job": ("任务编号 {job_id}", "job {job_id}"),
    "interrupted": (
        "已中断。再次运行同一命令会接着进行。",
        "Interrupted. The same command goes on where it was.",
    ),
    "arrived": (
        "✔ 文件已送达，任务编号 {job_id}；再次运行同一命令（不带 --no-wait）查看结果",
        "✔ the file has arrived as {job_id}; the same command without --no-wait shows the result",
    ),
    "count_rows": ("行数", "rows"),
    "count_created": ("新增", "created"),
    "count_updated": ("更新", "updated"),
    "count_unchanged": ("未变", "unchanged"),
    "count_rejected": ("未接受", "rejected"),
    "count_passed_over": ("自然人，略过", "of natural persons, passed over"),
    "warning_of": ("{kind}：{count} 行", "{kind}: {count}"),
    "ignored_columns": ("未保存的列：", "columns that are not kept: "),
    "rejected_rows": ("未接受的行", "Rejected rows"),
    "warned_rows": ("提示", "Warnings"),
    "column_rows": ("{column}：{count} 行（第 {rows} 行）", "{column}: {count} (row {rows})"),
    "whole_row": ("整行", "the whole row"),
    "kept_before_stop": (
        "此前的行已处理。更正文件后重新报送，相同的行不会重复。",
        "What came before it was kept. Mend the file and deliver it again: what is the same is unchanged.",
    ),
    "nothing_kept": (
        "没有保存任何行。请更正后重新报送。",
        "Nothing was kept. Mend it and deliver it again.",
    ),
    "report_written": (
        "清单（含本单位数据，请妥善保管）：{path}",
        "Report (it holds your own data: keep it safe): {path}",
    ),
    "listed": (
        "清单只列出前 {count} 个未接受的行。",
        "It lists the first {count} rejected rows only.",
    ),
    "head_row": ("行", "Row"),
    "head_column": ("列", "Column"),
    "head_reason": ("原因", "Reason"),
    "head_note": ("说明", "Note"),
    "head_accepted": ("可接受的值", "Accepted"),
    "numbers_only": (
        "清单中只有行号和列名：{why}",
        "The report has numbers and columns only: {why}",
    ),
    "no_header": (
        "没有在本机文件中找到表头。",
        "no header was found in the file here.",
    ),
    "several_sheets": (
        "工作簿中有多个表头相似的工作表，请用 --sheet 指定。",
        "several sheets of the workbook have such a header; name one by --sheet.",
    ),
    "rows_differ": (
        "本机文件的行数与网关收到的不同。",
        "the file here has another number of rows than the gateway counted.",
    ),
    "workbook_rows_differ": (
        "工作簿中有只含错误值或未计算公式的行，本机不能计数。",
        "it has rows of nothing but errors or uncalculated formulas, which are not counted here.",
    ),
    "workbook_stopped": (
        "网关没有处理完这个工作簿，本机无法确认行号一致。",
        "the gateway stopped before the workbook's end, so the numbers cannot be compared here.",
    ),
    "file_changed": (
        "本机文件在报送后已被改动。",
        "the file was changed after it was delivered.",
    ),
    "unknown_format": (
        "不能从文件名判断格式，请用 --format 指定。",
        "the name does not say the format; give --format.",
    ),
    "no_pyarrow": (
        "本机读取 Parquet 需要 pyarrow（pip install pyarrow）。",
        "reading Parquet here needs pyarrow (pip install pyarrow).",
    ),
    "no_zstd": (
        "本机解压 zst 需要 zstandard（pip install zstandard）。",
        "unpacking .zst here needs zstandard (pip install zstandard).",
    ),
}
"""Chinese and English by name."""


def text(name: str, language: Language, **values: object) -> str:
    """A text in this language."""
    zh, en = TEXTS[name]
    return (zh if language is Language.ZH else en).format(**values)
