"""Strict JSON reader: ambiguous documents are refused."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import strict_json
from gateway.strict_json import MAX_DEPTH, NotJsonError, StrictJsonError

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_every_value_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    """Escaped or not."""
    data = json.dumps(value, ensure_ascii=escaped).encode()
    assert strict_json.parse(data) == orjson.loads(data)


@given(
    st.dictionaries(st.text(max_size=5), SCALARS, min_size=1, max_size=4),
    st.data(),
    st.booleans(),
    st.integers(0, 3),
)
def test_a_member_that_is_there_twice_is_found(
    members: dict[str, Any], data: st.DataObject, escaped: bool, depth: int
) -> None:
    """At any depth, in any spelling, with any value."""
    again = data.draw(st.sampled_from(sorted(members)))
    pairs = [*members.items(), (again, data.draw(SCALARS))]
    pairs = data.draw(st.permutations(pairs))
    written = ",".join(
        f"{json.dumps(name, ensure_ascii=escaped)}:{json.dumps(value)}" for name, value in pairs
    )
    document = '[{"x":' * depth + f"{{{written}}}" + "}]" * depth
    with pytest.raises(StrictJsonError):
        strict_json.parse(document.encode())


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'[[{"":"","":""}]]',
        b'{"a\\"":1,"a\\"":2}',
        b'{"a\\\\":1,"a\\\\":"\\""}',
        b'{"\\\\":"","\\\\":"\\"\\""}',
        b"18446744073709551616",
        b"[-9223372036854775809]",
        b"1" * 5_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" * 100_000,
        b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b',"a":1}',
        b'[{"a":1.5,"a":' + b'{"":' * 1_000 + b"2" + b"}" * 1_001 + b"]",
    ],
    ids=range(15),
)
def test_ambiguous_json_is_refused(document: bytes) -> None:
    """Duplicate members, integers beyond 64 bits, deep nesting."""
    with pytest.raises(StrictJsonError):
        strict_json.parse(document)


@pytest.mark.parametrize(
    "document",
    [
        b"", b" ", b"{", b"{}{}", b"{'a':1}", b"[1,]", b"NaN", b"[Infinity]", b"-Infinity", b"1e400",
        b"[1e999]", b"01", b"+1", b".5", b"1.", b"0x1", b"\xef\xbb\xbf{}", b'"\xff"', b'"\xed\xa0\x80"',
        b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'"\n"', b'"a\0b"', b"\0", b"True", b"// x\n1",
        "{}".encode("utf-16"), "\uff11".encode(), b"\x0c1", b"\xc2\xa01",
    ],
    ids=str,
)  # fmt: skip
def test_invalid_json_is_refused(document: bytes) -> None:
    """RFC 8259: UTF-8 without a byte order mark, no lone surrogates."""
    with pytest.raises(NotJsonError):
        strict_json.parse(document)


@given(st.text(), st.booleans())
def test_only_the_character_itself_is_a_nul(text: str, escaped: bool) -> None:
    """Not the text of its escape, after any number of backslashes."""
    for spoilt in (text, text + "\\u0000", text + "\\\\u0000", text + "\0", text + "\\\0"):
        data = json.dumps([spoilt], ensure_ascii=escaped).encode()
        assert strict_json.holds_nul(data) == ("\0" in spoilt)


def test_the_deepest_document_is_read() -> None:
    """One level more is refused."""
    assert strict_json.parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 30, "1" * 5_000, "-0.0", "1.5"]
)
def test_numbers_may_be_left_to_others(number: str) -> None:
    """Other checks still apply."""
    document = f'{{"a":[{number}],"b":"\\"\\\\"}}'
    strict_json.check_ignoring_numbers(document.encode())
    for spoilt in (
        document.replace('"b"', '"a"'),
        document.replace('"b"', '"\\u0061"'),
        document.replace(number, f"{number},{'[' * 1_000}{']' * 1_000}"),
        f"\ufeff{document}",
        document[:-1],
        document * 2,
    ):
        with pytest.raises(StrictJsonError):
            strict_json.check_ignoring_numbers(spoilt.encode())
    with pytest.raises(StrictJsonError):
        strict_json.check_ignoring_numbers(document.encode("utf-16"))
