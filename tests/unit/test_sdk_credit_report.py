"""Credit reports: offline verification as JSON and PDF, and refusal of every changed byte."""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.docs.pages import ROOT
from tests.sdk_report_builders import (
    CREATED,
    ISSUER,
    KID,
    RECORD,
    REPORT_ID,
    USCC,
    a_report,
    in_a_pdf,
    keys,
    signed,
    written,
)
from xinqiao import CreditReport, KeySet, errors, verify_report

FULL: Final = bool(os.environ.get("FULL"))
KEYS: Final = KeySet.read(keys())
FILE: Final = signed(a_report())
PDF: Final = in_a_pdf(FILE)


def test_the_example_of_the_documentation_verifies() -> None:
    """With the keys of the page on evidence; it is the report of these tests."""
    examples = ROOT / "docs" / "integrate" / "examples"
    file = examples / "credit-report.json"
    assert file.read_bytes() == FILE + b"\n"
    assert verify_report(file, keys=examples / "evidence-keys.json", issuer=ISSUER).keyid == KID


def refusal(source: Any, **options: Any) -> errors.EvidenceInvalid:
    """The refusal of a file."""
    with pytest.raises(errors.EvidenceInvalid) as caught:
        verify_report(source, **{"keys": keys(), **options})
    return caught.value


def holds(source: Any) -> bool:
    """True if a file verifies."""
    try:
        verify_report(source, keys=KEYS)
    except errors.XinqiaoError:
        return False
    return True


def test_a_report_is_verified_offline_in_every_form(tmp_path: Path) -> None:
    """Bytes, text, mapping and file; JSON and PDF say the same."""
    names = {"report.json": FILE, "report.pdf": PDF}
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    sources: list[Any] = [FILE, PDF, FILE.decode(), json.loads(FILE), FILE + b"\n"]
    sources += [tmp_path / "report.json", str(tmp_path / "report.pdf")]
    found = [verify_report(each, keys=keys(), issuer=ISSUER) for each in sources]
    assert all(each == found[0] for each in found)
    report = found[0]
    assert isinstance(report, CreditReport)
    assert (report.report_id, report.uscc, report.name) == (REPORT_ID, USCC, "杭州甲餐饮有限公司")
    assert (report.span_from, report.span_to) == (date(2023, 5, 20), date(2026, 5, 20))
    assert report.recipient == "某银行杭州分行"
    assert report.created == report.as_of == CREATED
    assert report.keyid == KID
    (record,) = report.records
    assert record.fields == RECORD["fields"]
    assert (record.version, record.use_until) == (2, report.valid_until)
    assert report.nothing_found == ("penalty",)
    (left_out,) = report.left_out
    assert (left_out.code, left_out.datasets) == ("not_published", ("penalty",))
    assert json.loads(json.dumps(report.to_dict()))["document"] == json.loads(FILE)


def test_a_report_s_term_is_told() -> None:
    """It is authentic after its end, and `has_expired` says so."""
    report = verify_report(FILE, keys=keys())
    assert not report.has_expired(report.valid_until - timedelta(seconds=1))
    assert report.has_expired(report.valid_until)


@pytest.mark.parametrize("file", [FILE, PDF], ids=["json", "pdf"])
def test_each_changed_byte_is_found(file: bytes) -> None:
    """One bit of every byte of a small report, each in turn; all bits in the full form."""
    assert holds(file)
    changed = bytearray(file)
    unseen = []
    for place in range(len(file)):
        for bit in range(8) if FULL else (place % 8,):
            changed[place] ^= 1 << bit
            if holds(bytes(changed)):
                unseen.append((place, bit))
            changed[place] ^= 1 << bit
    assert unseen == []


def test_what_is_written_otherwise_or_beside_it_is_refused() -> None:
    """Blanks, escapes, a member that nobody has signed, a file that was cut or continued."""
    document = json.loads(FILE)
    loose = [
        json.dumps(document, ensure_ascii=False).encode(),
        json.dumps(document, separators=(",", ":")).encode(),
        written({**document, "note": "也可贷款"}),
        written({"report": document["report"]}),
        FILE[:-1],
        FILE + b" ",
        FILE.replace(b"}", b"},", 1),
        PDF + b"\n",
        PDF[:-1],
        PDF[: PDF.index(b"%xinqiao-report")],
        b"",
        b"[]",
    ]
    assert not any(holds(each) for each in loose)
    assert not holds({**document, "note": 1})
    assert not holds({"report": object(), "keyid": KID, "signature": ""})


def test_the_refusal_says_what_differs() -> None:
    """A sentence and the check that failed."""
    other = FILE.replace("食品经营许可证".encode(), "药品经营许可证".encode())
    assert refusal(other).detail == "The report is not what the gateway signed."
    assert refusal(PDF.replace(b"words", b"Words")).reason == "digest"
    assert "saved anew" in refusal(b"%PDF-1.4 another").detail
    assert refusal(FILE, keys={"keys": []}).reason == "key"
    assert refusal(PDF, keys={"keys": []}).reason == "key"
    assert refusal(FILE, issuer="https://other.test").detail.endswith(f"{ISSUER}.")
    assert refusal(b"hello").detail.startswith("The file is no credit report")
    with pytest.raises(errors.ConfigurationError):
        verify_report("no-such-report.json", keys=keys())


def test_what_the_gateway_would_not_sign_is_refused_though_it_is_signed() -> None:
    """Another type, a page elsewhere, a report of the future, keys out of force."""
    elsewhere = a_report(address=f"https://evil.test/R/{REPORT_ID}")
    assert refusal(signed(elsewhere)).detail == "The report's page is not on its issuer."
    assert refusal(signed(a_report(type="credit_report.v2"))).reason == "malformed"
    assert refusal(FILE, now=CREATED - timedelta(hours=1)).reason == "created"
    early = "2026-05-20T01:59:59+00:00"
    assert refusal(FILE, keys=keys(retired_at=early)).reason == "key"
    later = keys()["keys"][0] | {"kid": "response-2", "not_before": "2026-06-01T00:00:00+08:00"}
    drawn = in_a_pdf(FILE, kid="response-2")
    verify_report(drawn, keys={"keys": [*keys()["keys"], later]})
    retired = later | {"not_before": early, "retired_at": early}
    assert refusal(drawn, keys={"keys": [*keys()["keys"], retired]}).reason == "key"
    assert refusal(FILE, keys=keys(not_before="2026-05-20T02:00:01+00:00")).reason == "key"


def test_a_report_without_a_part_is_a_protocol_error() -> None:
    """Signed, and not as the wire promises."""
    for part in ("span", "records", "valid_until", "enterprise"):
        report = a_report()
        del report[part]
        with pytest.raises(errors.ProtocolError, match=part):
            verify_report(signed(report), keys=keys())
