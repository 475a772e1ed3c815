"""Join of the gateway's row lists with the department's own file, on its own machine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xinqiao.cli._inputs import unusable_file
from xinqiao.cli._language import uscc_columns

from .delivery import digest_of, stamp_of
from .own_rows import WORKBOOKS, ReadOptions, UnreadableError, format_of, read_rows
from .progress import resumable, spinner
from .report import MAX_ROWS, Report, write_report
from .row_notes import RowNote, by_row
from .text_rows import fold_name
from .texts import text
from .upload_state import UploadState

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from xinqiao._core.api.uploads import JobStatus

    from .delivery import Delivery
    from .own_rows import OwnRows
    from .report import Notes
    from .upload_client import UploadClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Entries of the job's lists, and where they were written."""

    rejected: Notes
    warned: Notes
    path: Path | None
    obstacle: str | None
    """Name of a text: why the department's own cells are not in the report."""

    @property
    def listed(self) -> int:
        """Rejected rows in the report."""
        return min(len(self.rejected), MAX_ROWS)


def report_rows(client: UploadClient, delivery: Delivery, job: JobStatus) -> Reported:
    """Fetch the lists of an ended job and write the report, if there is anything to report."""
    language = delivery.language
    with resumable(language), spinner(text("reporting", language)):
        rejected, warned = (
            by_row(client.job_list(job.job_id, name, read=RowNote.read, language=language))
            for name in ("rejects", "warnings")
        )
        is_needed = bool(rejected or warned)
        told = Report(rejected=rejected, warned=warned, language=language)
        obstacle = _write(delivery, job, told) if is_needed else None
    UploadState(client, delivery.metadata).forget()
    return Reported(
        rejected=rejected,
        warned=warned,
        path=delivery.report if is_needed else None,
        obstacle=obstacle,
    )


def _write(delivery: Delivery, job: JobStatus, told: Report) -> str | None:
    """Write the report; the obstacle where the department's own cells are not in it.

    The library shows an error or a formula without a value as an empty cell, so a workbook's row of
    nothing else is not counted here: only the count of a job that is done tells that there is none.
    """
    path, overwrite = delivery.report, delivery.options.overwrite
    try:
        try:
            is_workbook = format_of(delivery.path, delivery.options.format) in WORKBOOKS
            rows = job.rows if job.state == "done" else None
            if is_workbook and rows is None:
                raise UnreadableError("workbook_stopped")
            with closing(_own_rows(delivery, told.numbers)) as own:
                write_report(path, told, own, rows=rows, overwrite=overwrite)
        except UnreadableError as error:
            write_report(path, told, None, rows=None, overwrite=overwrite)
            differs = is_workbook and str(error) == "rows_differ"
            return "workbook_rows_differ" if differs else str(error)
    except OSError as error:
        raise unusable_file(path, error) from None
    return None


def _own_rows(delivery: Delivery, numbers: Container[int]) -> OwnRows:
    """The rows of the file that was delivered; `UnreadableError` if it is another one by now."""
    path = delivery.path
    try:
        is_other = stamp_of(path.stat()) != delivery.stamp and (digest_of(path) != delivery.sha256)
    except OSError:
        is_other = True
    if is_other:
        raise UnreadableError("file_changed")
    known = frozenset(map(fold_name, uscc_columns()))
    own = {
        fold_name(name)
        for name, target in delivery.columns.items()
        if target is not None and fold_name(target) in known
    }
    options = ReadOptions(
        path=path,
        format=format_of(path, delivery.options.format),
        encoding=delivery.options.encoding or "auto",
        sheet=delivery.options.sheet,
        uscc_names=known | own,
    )
    return read_rows(options, numbers)
