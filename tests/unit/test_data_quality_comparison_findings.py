"""Findings of a comparison, counted for one of its sources."""

import io

import pytest

from gateway.data_quality.comparison_findings import NotFindingsError, count_findings
from gateway.data_quality.figures import Count, Fault
from gateway.ingest.comparison.compare import DifferenceKind, Finding
from gateway.ingest.comparison.report import write_findings


def lines(*findings: Finding) -> list[str]:
    """The CSV that `compare` writes."""
    file = io.StringIO()
    list(write_findings(findings, file))
    return file.getvalue().splitlines()


def finding(kind: DifferenceKind, uscc: str, key: str, side: str = "", field: str = "") -> Finding:
    return Finding(kind=kind, uscc=uscc, key=key, side=side, field=field)


def test_what_is_absent_here_or_differs_is_counted_by_fact_and_by_enterprise() -> None:
    """A pair that differs in two fields is one; lateness is counted on receipt."""
    found = count_findings(
        lines(
            finding(DifferenceKind.MISSING, "A", "1", "信用浙江"),
            finding(DifferenceKind.MISSING, "A", "2", "信用浙江"),
            finding(DifferenceKind.MISSING, "B", "1", "公示系统"),
            finding(DifferenceKind.DIFFERS, "B", "3", field="fine"),
            finding(DifferenceKind.DIFFERS, "B", "3", field="facts"),
            finding(DifferenceKind.LATE, "C", "4", "信用浙江"),
        ),
        "信用浙江",
    )
    assert found == {
        Fault.ABSENT: Count(records=2, enterprises=1),
        Fault.DIFFERS: Count(records=1, enterprises=1),
    }


def test_another_file_is_refused() -> None:
    with pytest.raises(NotFindingsError):
        count_findings(["uscc,number", "A,1"], "信用浙江")
