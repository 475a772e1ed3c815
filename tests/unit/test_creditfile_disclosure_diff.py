"""Difference of catalogues: each additional disclosure is named, narrowing is not."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, Catalogue
from gateway.creditfile.catalogue.disclosure_diff import losses, widenings
from tests.creditfile_builders import CATALOGUE

DOCUMENT = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
PARSED = yaml.load(DOCUMENT, Loader=yaml.CSafeLoader)  # safe, and quick
del PARSED["repair"]  # discloses nothing, and must fit the clocks that are changed here


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


def by_severity(**members: Any) -> Any:
    return lambda document: document["clocks"]["penalty"]["publicity_by_severity"].update(members)


def minor(**members: Any) -> Any:
    return lambda document: document["clocks"]["penalty"]["publicity_by_severity"]["minor"].update(
        members
    )


def serious(**members: Any) -> Any:
    return lambda document: document["clocks"]["penalty"]["publicity_by_severity"][
        "serious"
    ].update(members)


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
    "a value more is public": put(
        "tax_credit_level", "year", public_when={"field": "level", "values": ["A", "B"]}
    ),
    "counts are public": put("complaint", "received", **{"class": "public"}),
    "no longer masked": put("key_person", "name", masked=False),
    "masked of fewer": put(
        "shareholder", "name", unmasked_when={"field": "type", "values": [
            "自然人", "企业法人", "机关法人", "事业法人", "社团法人", "合伙企业", "其他组织"]}
    ),
    "an individual business's capital": put("registration", "capital", individual_business=None),
    "an individual business's report": put(
        "annual_report", "web_shops", individual_business={"zh": "网店"}
    ),
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
    "without a filing": lambda d: d["clocks"]["third_party_rating"].pop("filing"),
    "by another filing": lambda d: d["clocks"]["third_party_rating"]["filing"].update(until="date"),
    "told to clients": put("public_rating", "indicators", **{"class": "authorised"}),
    "kept longer": lambda d: d["clocks"]["penalty"].update(retention_months=61),
    "deleted earlier": lambda d: d["clocks"]["penalty"].update(retention_months=59),
    "deleted at all": lambda d: d["clocks"]["open"].update(retention_months=60),
    "more is bad and deleted": of_dataset(
        "inspection", bad_when={"field": "result", "values": ["不合格", "合格", "发现问题待后续处理"]}
    ),
    "all is bad and deleted": of_dataset("commitment", tone="bad"),
    "kept for ever": lambda d: d["clocks"]["penalty"].pop("retention_months"),
    "deleted although listed": lambda d: d["clocks"]["abnormal_listing"].pop("until_removed"),
    "listed": lambda d: d["clocks"]["bad_information"].update(until_removed=True),
    "no end of publicity": lambda d: d["clocks"]["penalty"].pop("publicity"),
    "warnings shown": publicity(never_shown=[]),
    "shown longer": publicity(months=37),
    "a light one longer": publicity(short={"kinds": ["通报批评"], "fine_at_most": "1", "months": 4}),
    "fewer low fines": publicity(short={"kinds": ["通报批评"], "fine_at_most": "0.9", "months": 3}),
    "fewer light kinds": publicity(short={"kinds": [], "fine_at_most": "1", "months": 3}),
    "graver beside a fine": publicity(harmless_beside_a_fine=["罚款"]),
    "bans prolong": publicity(bans=["关闭"]),
    "no publicity by severity": lambda d: d["clocks"]["penalty"].pop("publicity_by_severity"),
    "a severity longer": by_severity(months={"轻微": 3, "一般": 13, "严重": 36}),
    "in force on another day": by_severity(in_force="2026-05-01"),
    "fewer minor kinds": minor(kinds=["警告"]),
    "a smaller fine is small": minor(fine_at_most="0.29"),
    "a smaller fine of a person is small": minor(person_fine_at_most="0.01"),
    "a procedure is no longer minor": minor(procedures=[]),
    "minor ones published under any procedure": minor(published_under=["普通", "简易"]),
    "more kinds are serious": serious(kinds=["吊销许可", "暂扣许可"]),
    "a huge fine is serious": serious(fine_from="100"),
    "unfulfilled ones continue": by_severity(unfulfilled_continue=["11330000MB1234567X"]),
    "no term of a list": lambda d: d["clocks"]["serious_listing"].pop("term"),
    "a longer term of a list": lambda d: d["clocks"]["serious_listing"]["term"].update(months=37),
    "a longer extension": lambda d: (
        d["clocks"]["judgment_default"]["term"].update(extension_at_most=4)
    ),
    "a term from another day": lambda d: (
        d["clocks"]["payments"]["term"].update(starts=["decided_on", "period"])
    ),
    "a term of bad ones only": lambda d: d["clocks"]["rating"]["term"].update(only_bad=True),
    "beyond its validity": lambda d: d["clocks"]["rating"].pop("until_valid_to"),
    "earlier ratings too": lambda d: d["clocks"]["rating"].pop("latest_of"),
    "more series of ratings": lambda d: d["clocks"]["rating"].update(latest_of=["level"]),
    "simplified procedure counts": exempt(procedures=[]),
    "an appeal counts": exempt(under_appeal=[]),
    "nothing exempt": lambda d: d["clocks"]["penalty"].pop("exempt"),
    "religion may be collected": lambda d: d["forbidden"].pop(0),
    "a word less": lambda d: d["only_with_consent"][0]["words"].pop(),
}  # fmt: skip

NARROWING = {
    "nothing": lambda _: None,
    "another version": lambda d: d.update(version="2026.3"),
    "public to authorised": put("penalty", "content", **{"class": "authorised"}),
    "a class taken away": lambda d: field(d, "honour", "title").pop("class"),
    "no value is public": put(
        "tax_credit_level", "year", public_when={"field": "level", "values": []}
    ),
    "masked of all": put("shareholder", "name", unmasked_when=None),
    "none of individual businesses": put(
        "registration", "address", individual_business={"absent": True}
    ),
    "personal now": put("licence", "content", personal=True),
    "one purpose less": lambda d: dataset(d, "tax_and_social")["purposes"].pop(),
    "purposes named": of_dataset("honour", purposes=["tender"]),
    "a dataset that is not served": new_dataset(None),
    "shown shorter": publicity(months=35),
    "more never shown": publicity(never_shown=["警告", "通报批评"]),
    "a time to appeal": exempt(appeal_days=90),
    "a shorter term": lambda d: d["clocks"]["serious_listing"]["term"].update(months=35),
    "a severity shorter": by_severity(months={"轻微": 3, "一般": 11, "严重": 36}),
    "more fines are small": minor(fine_at_most="0.4"),
    "fewer kinds are serious": serious(kinds=["吊销许可"]),
    "one more word": lambda d: d["forbidden"][0]["words"].append("creed"),
    "a description": put("honour", "title", description="Its name."),
}


@pytest.mark.parametrize("name", WIDENING)
def test_a_widening_is_named(name: str) -> None:
    """At least one sentence for each change."""
    assert widenings(CATALOGUE, changed(WIDENING[name])), name


EARLIER_RULES = {
    "more bans": publicity(bans=["暂扣许可", "关闭"]),
    "a severity longer": publicity(months_by_severity={"轻微": 3, "一般": 13}),
    "a severity unbounded": publicity(months_by_severity={"轻微": 3}),
    "more ends an appeal": exempt(no_appeal_any_more=["none", "in_period"]),
    "less time to appeal": exempt(appeal_days=59),
    "no time to appeal": exempt(appeal_days=None),
    "publicity by severity": lambda d: d["clocks"]["penalty"].update(
        publicity_by_severity=PARSED["clocks"]["penalty"]["publicity_by_severity"]
    ),
}


@pytest.mark.parametrize("name", EARLIER_RULES)
def test_a_widening_of_the_rules_of_catalogue_2026_1_is_named(name: str) -> None:
    """Documents of that form can still be read."""

    def earlier(document: Any) -> None:
        document["clocks"]["penalty"].pop("publicity_by_severity")
        publicity(bans=["暂扣许可"], months_by_severity={"轻微": 3, "一般": 12})(document)
        exempt(no_appeal_any_more=["none"], appeal_days=60)(document)

    def later(document: Any) -> None:
        earlier(document)
        EARLIER_RULES[name](document)

    assert widenings(changed(earlier), changed(earlier)) == ()
    assert widenings(changed(earlier), changed(later)), name


@pytest.mark.parametrize("name", NARROWING)
def test_a_narrowing_is_not_named(name: str) -> None:
    """Nothing to approve."""
    assert widenings(CATALOGUE, changed(NARROWING[name])) == ()


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (lambda d: d["datasets"].remove(dataset(d, "change")), ("change",)),
        (lambda d: d["rating_schemes"].pop(), ("rating scheme enterprise_credit_grade 2026",)),
        (
            lambda d: d["rating_schemes"][0]["indicators"][0].update(points=70),
            ("rating scheme zj_public_credit 2026",),
        ),
        (lambda d: dataset(d, "honour")["fields"].pop(), ("honour.valid_to",)),
        (put("honour", "title", type="free_text"), ("honour.title",)),
        (of_dataset("honour", key=["number", "title"]), ("the key of honour",)),
        (new_dataset("public"), ()),
    ],
)
def test_names_types_and_keys_only_stay(change: Any, gone: tuple[str, ...]) -> None:
    """Records, questions and pages depend on them."""
    assert losses(CATALOGUE, changed(change)) == gone
