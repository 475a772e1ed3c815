"""Difference of catalogues: each additional disclosure is named, narrowing is not."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, Catalogue
from gateway.creditfile.disclosure_diff import losses, widenings
from tests.creditfile_builders import CATALOGUE

DOCUMENT = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
PARSED = yaml.load(DOCUMENT, Loader=yaml.CSafeLoader)  # safe, and quick


def changed(change: Any) -> Catalogue:
    document = deepcopy(PARSED)
    change(document)
    return Catalogue.model_validate(document)


def dataset(document: Any, code: str) -> Any:
    return next(each for each in document["datasets"] if each["code"] == code)


def field(document: Any, code: str, name: str) -> Any:
    return next(each for each in dataset(document, code)["fields"] if each["name"] == name)


def put(code: str, name: str, **members: Any) -> Any:
    return lambda document: field(document, code, name).update(members)


def publicity(**members: Any) -> Any:
    return lambda document: document["clocks"]["penalty"]["publicity"].update(members)


def exempt(**members: Any) -> Any:
    return lambda document: document["clocks"]["penalty"]["exempt"].update(members)


def of_dataset(code: str, **members: Any) -> Any:
    return lambda document: dataset(document, code).update(members)


def new_dataset(class_: str | None) -> Any:
    def add(document: Any) -> None:
        one = {"name": "number", "zh": "编号", "en": "Number", "type": "text", "description": "It."}
        document["datasets"].append(
            {
                "code": "green", "zh": "绿色", "en": "Green", "source": "court", "tone": "good",
                "key": "number", "clock": "open",
                "fields": [one | ({"class": class_} if class_ else {})],
            }
        )  # fmt: skip

    return add


WIDENING = {
    "never to authorised": put("penalty", "appeal_state", **{"class": "authorised"}),
    "government to authorised": put("supervision", "indicator", **{"class": "authorised"}),
    "authorised to public": put("public_rating", "score", **{"class": "public"}),
    "public on a condition": put("annual_report", "contact_phone", public_when="published"),
    "no longer personal": put("registration", "legal_representative", personal=False),
    "no longer free text": put("penalty", "facts", type="text"),
    "every purpose": of_dataset("tax_and_social", purposes=[]),
    "one purpose more": lambda d: dataset(d, "tax_and_social")["purposes"].append("tender"),
    "a new dataset": new_dataset("authorised"),
    "not bad any more": of_dataset("supervision", tone="neutral"),
    "fewer bad values": of_dataset("inspection", bad_when={"field": "result", "values": ["不合格"]}),
    "another clock": of_dataset("penalty", clock="open"),
    "another field drives the clock": lambda d: (
        field(d, "penalty", "published_on").pop("column")
    ),
    "kept longer": lambda d: d["clocks"]["penalty"].update(retention_months=61),
    "deleted earlier": lambda d: d["clocks"]["penalty"].update(retention_months=59),
    "deleted at all": lambda d: d["clocks"]["open"].update(retention_months=60),
    "more is bad and deleted": of_dataset(
        "inspection", bad_when={"field": "result", "values": ["不合格", "合格", "发现问题待后续处理"]}
    ),
    "all is bad and deleted": of_dataset("commitment", tone="bad"),
    "kept for ever": lambda d: d["clocks"]["penalty"].pop("retention_months"),
    "deleted although listed": lambda d: d["clocks"]["listed"].pop("until_removed"),
    "listed": lambda d: d["clocks"]["bad_information"].update(until_removed=True),
    "no end of publicity": lambda d: d["clocks"]["penalty"].pop("publicity"),
    "warnings shown": publicity(never_shown=[]),
    "shown longer": publicity(months=37),
    "a light one longer": publicity(short={"kinds": ["通报批评"], "fine_at_most": "1", "months": 4}),
    "fewer low fines": publicity(short={"kinds": ["通报批评"], "fine_at_most": "0.9", "months": 3}),
    "fewer light kinds": publicity(short={"kinds": [], "fine_at_most": "1", "months": 3}),
    "graver beside a fine": publicity(harmless_beside_a_fine=["罚款"]),
    "more bans": lambda d: d["clocks"]["penalty"]["publicity"]["bans"].append("关闭"),
    "a severity longer": publicity(months_by_severity={"轻微": 3, "一般": 13, "严重": 36}),
    "a severity unbounded": publicity(months_by_severity={"轻微": 3, "严重": 36}),
    "simplified procedure counts": exempt(procedures=[]),
    "an appeal counts": exempt(under_appeal=[]),
    "more ends an appeal": exempt(no_appeal_any_more=["none", "upheld", "annulled", "in_period"]),
    "less time to appeal": exempt(appeal_days=59),
    "nothing exempt": lambda d: d["clocks"]["penalty"].pop("exempt"),
    "religion may be collected": lambda d: d["forbidden"].pop(0),
    "a word less": lambda d: d["only_with_consent"][0]["words"].pop(),
}  # fmt: skip

NARROWING = {
    "nothing": lambda _: None,
    "another version": lambda d: d.update(version="2026.2"),
    "public to authorised": put("penalty", "content", **{"class": "authorised"}),
    "a class taken away": lambda d: field(d, "honour", "title").pop("class"),
    "personal now": put("licence", "content", personal=True),
    "one purpose less": lambda d: dataset(d, "tax_and_social")["purposes"].pop(),
    "purposes named": of_dataset("honour", purposes=["tender"]),
    "a dataset that is not served": new_dataset(None),
    "shown shorter": publicity(months=35),
    "more never shown": publicity(never_shown=["警告", "通报批评"]),
    "longer to appeal": exempt(appeal_days=90),
    "one more word": lambda d: d["forbidden"][0]["words"].append("creed"),
    "a description": put("honour", "title", description="Its name."),
}


@pytest.mark.parametrize("name", WIDENING)
def test_a_widening_is_named(name: str) -> None:
    """At least one sentence for each change."""
    assert widenings(CATALOGUE, changed(WIDENING[name])), name


@pytest.mark.parametrize("name", NARROWING)
def test_a_narrowing_is_not_named(name: str) -> None:
    """Nothing to approve."""
    assert widenings(CATALOGUE, changed(NARROWING[name])) == ()


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (lambda d: d["datasets"].pop(), ("supervision",)),
        (lambda d: dataset(d, "honour")["fields"].pop(), ("honour.valid_to",)),
        (put("honour", "title", type="free_text"), ("honour.title",)),
        (of_dataset("honour", key=["number", "title"]), ("the key of honour",)),
        (new_dataset("public"), ()),
    ],
)
def test_names_types_and_keys_only_stay(change: Any, gone: tuple[str, ...]) -> None:
    """Records, questions and pages depend on them."""
    assert losses(CATALOGUE, changed(change)) == gone
