"""Bytes of public pages over the synthetic province: nothing but what is public, and now."""

import gzip
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, Final

import brotli
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from gateway.codes.public_page.page_html import valid_code_page
from gateway.codes.public_page.page_json import CodePage, code_json
from gateway.codes.public_page.summary import summary_of
from gateway.codes.store import Code
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Record
from gateway.pages.content_coding import Coding, encoded
from gateway.pages.static import stylesheet_bytes
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE
from tests.sampling import sampled

NOW: Final = datetime(2026, 11, 23, 4, tzinfo=UTC)
PROVINCE: Final = tuple(province(3, 150, today=date(2026, 11, 23), catalogue=CATALOGUE))
CANARY: Final = "不公开的内容"
FORMS: Final = ("", "lang=en", "size=large", "lang=en&size=large")
COMPRESSED: Final[tuple[Coding, ...]] = ("br", "gzip")
FIRST_VIEW: Final = 14_000
CODE: Final = Code(
    uscc="", code_id="A" * 26, sign_name="小店", check_phrase="青山 白云", issued_at=NOW
)


def request(query: str = "", coding: str = "identity") -> Request:
    """A scan."""
    site = SimpleNamespace(
        demo=True, issuer="https://credit.example.gov.cn", authority=None, authority_en=None
    )
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/E/A",
            "query_string": query.encode(),
            "headers": [(b"accept-encoding", coding.encode())],
            "app": SimpleNamespace(
                state=SimpleNamespace(runtime=SimpleNamespace(settings=site, catalogue=CATALOGUE))
            ),
        }
    )


def shown(generated: SyntheticEnterprise, records: tuple[Record, ...], now: datetime) -> list[str]:
    """Everything that is sent or kept of a page: each form's head and decoded bodies, and the JSON."""
    summary = summary_of(generated.enterprise, records, CATALOGUE, now=now)
    page = CodePage(code=replace(CODE, uscc=generated.uscc), summary=summary)
    told = code_json(page)
    seen = [orjson.dumps(orjson.loads(told.body)).decode(), str(told.headers)]
    for query in FORMS:
        made = valid_code_page(request(query), page, CATALOGUE)
        for coding, decode in (("br", brotli.decompress), ("gzip", gzip.decompress), ("", bytes)):
            answer = made.response(request(query, coding))
            seen += [decode(bytes(answer.body)).decode(), str(answer.headers)]
    return seen


def is_canary_field(field: FieldDefinition) -> bool:
    """True for a text that no condition and no clock reads, of a class that is not public."""
    return (
        field.disclosure is not DisclosureClass.PUBLIC
        and field.public_when is None
        and field.type == "text"
        and field.column is None
    )


def with_canaries(record: Record) -> Record:
    """The record with a mark in each text that is not public."""
    fields = CATALOGUE.dataset(record.dataset).fields
    marks = {each.name: CANARY for each in fields if is_canary_field(each)}
    return replace(record, fields={**record.fields, **marks})


places = st.integers(0, len(PROVINCE) - 1)


@given(places, st.datetimes(datetime(2019, 1, 1), datetime(2034, 1, 1)))  # noqa: DTZ001  # set below
@settings(max_examples=sampled(25, full=150), deadline=None)
def test_nothing_but_public_fields_is_in_any_byte(place: int, naive: datetime) -> None:
    """No other field, no ID number, phone or home address, no operator's full name, at any time."""
    generated, now = PROVINCE[place], naive.replace(tzinfo=UTC)
    records = tuple(with_canaries(each) for each in generated.records)
    hidden = {CANARY, *generated.personal.values()}
    if generated.enterprise.kind == INDIVIDUAL_BUSINESS:
        hidden.add(str(generated.enterprise.legal_representative))
    for text in shown(generated, records, now):
        assert not [each for each in hidden if each in text]


@given(places, st.sampled_from(("repaired_at", "suspended_at", "withdrawn_at")))
@settings(max_examples=sampled(15, full=150), deadline=None)
def test_what_an_act_has_ended_is_in_no_byte(place: int, act: str) -> None:
    """No text of a repaired, suspended or withdrawn record, whatever it was."""
    generated = PROVINCE[place]
    ended: dict[str, Any] = {act: NOW}
    records = tuple(
        replace(
            each,
            **ended,
            fields={
                name: CANARY if is_text(each, name) else value
                for name, value in each.fields.items()
            },
        )
        for each in generated.records
    )
    assert not [text for text in shown(generated, records, NOW) if CANARY in text]


def is_text(record: Record, name: str) -> bool:
    """True for a free text of the record."""
    fields = CATALOGUE.dataset(record.dataset).fields
    return any(each.name == name and each.type == "text" for each in fields)


def test_the_canaries_would_be_seen() -> None:
    """The same mark in public texts of records in force is on the page: the tests above can fail."""
    found = 0
    for generated in PROVINCE:
        records = tuple(
            replace(
                each, fields={n: CANARY if is_text(each, n) else v for n, v in each.fields.items()}
            )
            for each in generated.records
        )
        found += any(CANARY in text for text in shown(generated, records, NOW)[:1])
        if found:
            return
    pytest.fail("no page shows a text of a record")


def test_the_first_view_of_the_heaviest_enterprise_is_small() -> None:
    """Page and stylesheet together, compressed, in both languages and sizes; nothing else is loaded."""
    for query in FORMS:
        pages = [html(generated, query) for generated in PROVINCE]
        heaviest = max(pages, key=len)
        [sheet] = re.findall(r'<link rel="stylesheet" href="[^"]*/([a-z]+\.css)[^"]*">', heaviest)
        for coding in COMPRESSED:
            sent = len(encoded(heaviest.encode(), coding)) + len(stylesheet_bytes(sheet, coding))
            assert sent <= FIRST_VIEW, (query, coding)
        assert not re.findall(r"<(script|img|iframe|object|embed|video|audio|style)\b", heaviest)
        assert set(re.findall(r'<link rel="([^"]+)"', heaviest)) == {"icon", "stylesheet"}
        assert 'href="data:,"' in heaviest


def html(generated: SyntheticEnterprise, query: str = "") -> str:
    """The page of an enterprise."""
    summary = summary_of(generated.enterprise, generated.records, CATALOGUE, now=NOW)
    made = valid_code_page(request(query), CodePage(code=CODE, summary=summary), CATALOGUE)
    return made.coded("identity").decode()


def test_microdata_say_what_the_page_shows() -> None:
    """An Organization of schema.org: the marks stand on the very elements that are read."""
    for generated in PROVINCE[:20]:
        page = html(generated)
        assert page.count('itemscope itemtype="https://schema.org/Organization"') == 1
        found = dict(re.findall(r'itemprop="(\w+)"[^>]*>([^<]+)<', page))
        assert page.count("itemprop=") == len(found)
        assert found["name"] == CODE.sign_name
        assert found["legalName"] == generated.enterprise.name
        assert found["taxID"] == generated.uscc
        assert set(found) <= {
            "name", "legalName", "location", "taxID", "foundingDate", "address",
        }  # fmt: skip
