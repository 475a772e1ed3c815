"""`compare`: compare two deliveries of one dataset; prints a table, writes CSV and HTML."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit import fail
from gateway.cli.printing import print_table
from gateway.cli.whole_file import whole_file, write_whole
from gateway.creditfile.catalogue import (
    Catalogue,
    CatalogueError,
    UnknownDatasetError,
    load_catalogue,
)
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.local_dates import day_of
from gateway.ingest.comparison.compare import LATE_AFTER, Comparison, Finding, Period
from gateway.ingest.comparison.partition import ComparisonJob, PartitionedComparison
from gateway.ingest.comparison.read_rows import read_delivery
from gateway.ingest.comparison.report import (
    SHOWN_FINDINGS,
    comparison_page,
    field_lines,
    summary_lines,
    write_findings,
)
from gateway.ingest.readers.decompression import FileRefused
from gateway.rfc3339 import parse_date


class Encoding(StrEnum):
    """Text encodings of the option `--encoding`."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


def compare(
    dataset: Annotated[str, typer.Argument(help="The dataset that both deliver.")],
    left: Annotated[Path, typer.Option(help="One delivery: CSV, NDJSON or Parquet.")],
    right: Annotated[Path, typer.Option(help="The other one.")],
    period: Annotated[
        str | None, typer.Option(help="Days of decision, first..last, as 2026-01-01..2026-06-30.")
    ] = None,
    left_name: Annotated[str, typer.Option(help="What the one source is called.")] = "left",
    right_name: Annotated[str, typer.Option(help="What the other one is called.")] = "right",
    late_after: Annotated[
        int, typer.Option(min=1, max=1000, help="Working days from decision to publication.")
    ] = LATE_AFTER,
    encoding: Annotated[Encoding, typer.Option(help="Of both text files.")] = Encoding.UTF_8,
    catalogue_file: Annotated[
        Path | None,
        typer.Option("--catalogue", help="A catalogue (YAML) in place of the published one."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every finding to this CSV file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this HTML file.")] = None,
) -> None:
    """Compare two sources: what is missing, different, late, or wrong in its end of publicity."""
    catalogue = _catalogue(catalogue_file)
    try:
        definition = catalogue.dataset(dataset)
    except UnknownDatasetError:
        fail(f"There is no dataset {dataset}; there are {', '.join(catalogue.codes)}.")
    job = ComparisonJob(
        dataset=dataset,
        names=(left_name, right_name),
        period=_period(period),
        late_after=late_after,
    )
    comparison = PartitionedComparison(
        job,
        read_delivery(left, catalogue, dataset, encoding.value),
        read_delivery(right, catalogue, dataset, encoding.value),
        catalogue=catalogue,
        today=day_of(datetime.now(UTC)),
    )
    try:
        with _written(comparison, csv) as findings:
            first = list(islice(findings, SHOWN_FINDINGS))
            for _ in findings:
                pass
        if html is not None:
            page = comparison_page(job, comparison.counts, definition, first)
            write_whole(html, page)
    except FileRefused as refused:
        fail(str(refused))
    except OSError as error:
        fail(f"The comparison could not be written ({type(error).__name__}).")
    _show(job, comparison.counts, definition)


@contextmanager
def _written(comparison: PartitionedComparison, csv: Path | None) -> Iterator[Iterator[Finding]]:
    """The findings, each also written to the CSV file."""
    if csv is None:
        yield iter(comparison)
        return
    with whole_file(csv) as file:
        yield write_findings(comparison, file)


def _show(job: ComparisonJob, counts: Comparison, dataset: DatasetDefinition) -> None:
    title = f"{dataset.zh} {dataset.en}"
    print_table(("", *job.names), summary_lines(counts), title=title, figures=2)
    differing = list(field_lines(counts, dataset))
    if differing:
        titles = ("field", "", "pairs")
        print_table(titles, differing, title="不一致的字段 Fields that differ", figures=1)


def _catalogue(file: Path | None) -> Catalogue:
    """The catalogue in the file, which may have datasets that no release has."""
    try:
        return load_catalogue(None if file is None else file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        fail(f"{file} cannot be read.")
    except CatalogueError as error:
        fail(str(error))


def _period(given: str | None) -> Period:
    if given is None:
        return Period()
    first, between, last = given.partition("..")
    try:
        period = Period(
            first=parse_date(first) if first else None, last=parse_date(last) if last else None
        )
    except ValueError:
        between = ""
    if not between or (period.first and period.last and period.first > period.last):
        fail("--period is first..last, as 2026-01-01..2026-06-30.")
    return period
