"""Mutations of evidence, records, receipts and answers: refused, or equal in meaning."""

import copy
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.sdk_report_builders import a_report, in_a_pdf, keys, signed
from xinqiao import Evidence, errors, verify_consent_record, verify_evidence, verify_report
from xinqiao._core.evidence.receipts import PromisedLeaf, verified_receipt
from xinqiao._core.signatures.exchange import Exchange
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import KeySet
from xinqiao._core.wire.results import LogPromise
from xinqiao._core.wire.serialization import compact_json
from xinqiao.testing import FakeGateway

EXAMPLES: Final = 2_000 if os.environ.get("FULL") else 150
VECTORS: Final = Path(__file__).parent.parent / "vectors" / "sdk"
USCC: Final = "91330106MA2XXXXXX0"
Place = tuple[str | int, ...]

GATEWAY: Final = FakeGateway()
GATEWAY.add_enterprise(USCC, answers={"is_active.v1": "no"})
EVIDENCE: Final = (
    GATEWAY.client()
    .verify(
        USCC, purpose="tender", questions={"is_active.v1": None, "enterprise_name.v1": "甲公司"}
    )
    .evidence
)
RECORD: Final = json.loads((VECTORS / "consent-record.json").read_text(encoding="utf-8"))
KEYS: Final = json.loads((VECTORS / "keys.json").read_text(encoding="utf-8"))
FOLDER: Final = tempfile.TemporaryDirectory(prefix="xq-mutations-")

SCALARS: Final = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["", "0", "2_00", "２００", "200.0", "\ud800", "\0", "é", "sha-256=:AAAA:"])
)  # fmt: skip
ANYTHING: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths_of(value: Any, way: Place = ()) -> Iterator[Place]:
    """Path of each part of a document."""
    yield way
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_of(inner, (*way, name))


def part_at(document: Any, place: Place) -> Any:
    """The part at a path."""
    for step in place:
        document = document[step]
    return document


def likenesses(value: Any) -> st.SearchStrategy[Any]:
    """Values that lenient parsers confuse."""
    made: list[Any] = [[value], {"value": value}]
    if isinstance(value, str):
        made += [
            f"{value} ",
            f" {value}",
            f"{value}\n",
            value.swapcase(),
            value[:-1],
            value + value,
        ]
        made += [value.replace("0", "\uff10"), value.replace("=", ""), value.replace(":", ": ", 1)]
        made += [value.replace("+", "-"), value.replace("+00:00", "Z"), value.replace(",", ", ")]
    if isinstance(value, int):
        made += [float(value), value + 0.9, str(value), f"{value}_0", -value, value + 1, value == 1]
    if isinstance(value, list):
        made += [value[::-1], value + value, value[1:], tuple(value)]
    return st.sampled_from(made)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """The document with one to three parts replaced, removed, added or exchanged."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        inner = [each for each in paths_of(document) if each]
        if not inner:
            return document
        place = draw(st.sampled_from(inner))
        *way, last = place
        inside, value = part_at(document, tuple(way)), part_at(document, place)
        match draw(st.sampled_from(["replace", "like", "remove", "add", "copy"])):
            case "replace":
                inside[last] = draw(ANYTHING)
            case "like":
                inside[last] = draw(likenesses(value))
            case "remove":
                del inside[last]
            case "add" if isinstance(inside, dict):
                inside[draw(st.text(max_size=8))] = draw(ANYTHING)
            case "add":
                inside.insert(last, draw(ANYTHING))
            case _:
                inside[last] = copy.deepcopy(
                    part_at(document, draw(st.sampled_from(list(paths_of(document)))))
                )
    return document


@st.composite
def written(draw: st.DrawFn, document: Any) -> bytes:
    """The document's text with a duplicate member or changed bytes."""
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        objects = [each for each in paths_of(document) if isinstance(part_at(document, each), dict)]
        inside = part_at(document, draw(st.sampled_from(objects)))
        name = draw(st.sampled_from(sorted(inside)))
        member = f"{json.dumps(name)}: {json.dumps(inside[name])}"
        again = f"{json.dumps(name)}: {json.dumps(draw(SCALARS))}"
        pair = draw(st.sampled_from([f"{again}, {member}", f"{member}, {again}"]))
        return text.replace(member, pair, 1).encode("utf-8", "surrogatepass")
    data = text.encode()
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 8)))
    more = draw(
        st.binary(max_size=8) | st.sampled_from([b"1e400", b"NaN", b"[" * 5_000, b"\xef\xbb\xbf"])
    )
    return data[:start] + more + data[end:]


def outcome(verify: Callable[[], Any]) -> Any:
    """The verified content, or None if it is refused with an SDK error."""
    try:
        return verify()
    except errors.XinqiaoError:
        return None


def in_a_file(data: bytes) -> Path:
    """A file with this content."""
    path = Path(FOLDER.name) / "mutated.json"
    path.write_bytes(data)
    return path


def assert_same_evidence(found: Evidence | None) -> None:
    """Assert a refusal, or exactly the original content."""
    assert found is None or found.to_json() == EVIDENCE.to_json()


@settings(max_examples=EXAMPLES, deadline=None)
@given(changed(EVIDENCE.to_dict()))
def test_changed_evidence_is_refused(bundle: Any) -> None:
    """Given as a mapping, with Python types outside JSON."""
    found = outcome(lambda: verify_evidence(bundle, keys=GATEWAY.jwks))
    assert_same_evidence(found)
    assert found is None or json.dumps(bundle, sort_keys=True) == json.dumps(
        EVIDENCE.to_dict(), sort_keys=True
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(written(EVIDENCE.to_dict()))
def test_a_changed_file_of_evidence_is_refused(data: bytes) -> None:
    """Byte changes and duplicate members."""
    path = in_a_file(data)
    assert_same_evidence(outcome(lambda: verify_evidence(path, keys=GATEWAY.jwks)))


def test_the_record_of_the_vectors_is_proven() -> None:
    """Control: the stored vector."""
    verified = verify_consent_record(RECORD, keys=KEYS)
    assert (verified.proven, verified.unproven) == ((1, 2, 3, 4, 5, 6), ())


def assert_same_record(found: Any) -> None:
    """Assert a refusal, or the same record with no more events proven."""
    if found is not None:
        assert json.dumps(found.record, sort_keys=True) == json.dumps(
            RECORD["record"], sort_keys=True
        )
        assert sorted(found.proven + found.unproven) == [1, 2, 3, 4, 5, 6]


@settings(max_examples=EXAMPLES, deadline=None)
@given(changed(RECORD))
def test_a_changed_record_is_refused(document: Any) -> None:
    """Missing receipts only reduce what is proven."""
    found = outcome(lambda: verify_consent_record(document, keys=KEYS))
    assert_same_record(found)
    if found is not None:
        left = [each for each in RECORD["receipts"] if each in document.get("receipts", [])]
        assert len(found.proven) == len(left)


@settings(max_examples=EXAMPLES, deadline=None)
@given(written(RECORD))
def test_a_changed_file_of_a_record_is_refused(data: bytes) -> None:
    """Byte changes and duplicate members."""
    path = in_a_file(data)
    assert_same_record(outcome(lambda: verify_consent_record(path, keys=KEYS)))


REPORT: Final = json.loads(GATEWAY.make_report(USCC, datasets=["penalty", "licence"]))
PDF: Final = in_a_pdf(signed(a_report()))


@settings(max_examples=EXAMPLES, deadline=None)
@given(changed(REPORT))
def test_a_changed_report_is_refused(document: Any) -> None:
    """Given as a mapping; what is the same JSON is the same report."""
    found = outcome(lambda: verify_report(document, keys=GATEWAY.jwks))
    assert found is None or json.dumps(document, sort_keys=True) == json.dumps(
        REPORT, sort_keys=True
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(written(REPORT))
def test_a_changed_file_of_a_report_is_refused(data: bytes) -> None:
    """Byte changes, duplicate members, and another spelling of the same JSON."""
    found = outcome(lambda: verify_report(data, keys=GATEWAY.jwks))
    assert found is None or data.removesuffix(b"\n") == compact_json(REPORT)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_a_changed_pdf_of_a_report_is_refused(data: st.DataObject) -> None:
    """Bytes put in, taken out or replaced anywhere."""
    start = data.draw(st.integers(0, len(PDF)))
    end = min(len(PDF), start + data.draw(st.integers(0, 8)))
    changed_pdf = PDF[:start] + data.draw(st.binary(max_size=8)) + PDF[end:]
    found = outcome(lambda: verify_report(changed_pdf, keys=keys()))
    assert found is None or changed_pdf == PDF


RECEIPT: Final = RECORD["receipts"][3]


def receipt_of(body: Any) -> Any:
    """Result of the SDK for a signed receipt."""
    exchange = replace(EVIDENCE.exchange, response_body=json.dumps(body).encode())
    promised = PromisedLeaf(
        disclosure_id=RECEIPT["disclosure_id"],
        promise=LogPromise(leaf_hash=RECEIPT["leaf_hash"], log=RECEIPT["log"], merge_by=None),
        evidence=EVIDENCE,
    )
    made = verified_receipt(
        replace(EVIDENCE, exchange=exchange),
        promised,
        log=RECEIPT["log"],
        log_keys=KeySet.read(KEYS).log,
    )
    return made.disclosure_id, made.leaf_hash, made.leaf_index, made.tree_size


@settings(max_examples=EXAMPLES, deadline=None)
@given(changed(RECEIPT))
def test_a_changed_receipt_is_refused(body: Any) -> None:
    """Log, leaf, index, proof and checkpoint are checked together, even if signed."""
    assert outcome(lambda: receipt_of(body)) in {None, receipt_of(RECEIPT)}


EXCHANGE: Final = EVIDENCE.exchange
ON_ITS_WAY: Final[dict[str, Any]] = {
    "method": EXCHANGE.method,
    "target_uri": EXCHANGE.target_uri,
    "status": EXCHANGE.status,
    "request_body": EXCHANGE.request_body.decode(),
    "response_body": EXCHANGE.response_body.decode(),
    **{f"> {name}": value for name, value in EXCHANGE.request_headers.items()},
    **{f"< {name}": value for name, value in EXCHANGE.response_headers.items()},
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(changed(ON_ITS_WAY))
def test_an_answer_that_was_changed_on_its_way_is_refused(parts: Any) -> None:
    """Unsigned headers are dropped."""
    headers = {name: value for name, value in parts.items() if name[:2] in {"> ", "< "}}
    texts = {name: parts.get(name) for name in ON_ITS_WAY if name not in headers}
    status = texts.pop("status", None)
    assume(type(status) is int)
    assume(all(isinstance(each, str) for each in (*texts.values(), *headers.values())))
    exchange = Exchange(
        method=texts["method"],
        target_uri=texts["target_uri"],
        request_headers={n[2:]: value for n, value in headers.items() if n[0] == ">"},
        request_body=texts["request_body"].encode("utf-8", "surrogatepass"),
        status=status,
        response_headers={n[2:]: value for n, value in headers.items() if n[0] == "<"},
        response_body=texts["response_body"].encode("utf-8", "surrogatepass"),
    )
    key = KeySet.read(GATEWAY.jwks).get(EVIDENCE.keyid)
    assert key is not None
    latest = datetime.now(UTC) + timedelta(minutes=5)
    found = outcome(
        lambda: verify_signature(exchange, read_claims(exchange), key, earliest=None, latest=latest)
    )
    assert found in (None, EXCHANGE)
