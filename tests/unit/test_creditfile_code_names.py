"""Values of an enterprise's own record in words: codes, currencies, yes and no."""

from typing import Any

import pytest

from gateway.creditfile.labels import field_value, headline
from tests.portal_fixture import CATALOGUE


@pytest.mark.parametrize(
    ("name", "value", "zh", "en"),
    [
        (
            "entity_type",
            "1130",
            "有限责任公司（自然人投资或控股）",
            "Limited liability company held by natural persons",
        ),
        (
            "industry",
            "F5211",
            "零售业（行业代码 F5211）",
            "Wholesale and retail trade (industry code F5211)",
        ),
        ("scope_industries", ["F5211"], "零售业（行业代码 F5211）", None),
        ("currency", "CNY", "人民币", "Renminbi"),
        ("division", "330106", "杭州市西湖区", None),
        ("small_or_micro", True, "属于小微企业", "Small or micro enterprise"),
        ("status", "active", "存续（在营）", "Active"),
        ("entity_type", "unknown", "unknown", "unknown"),
        ("industry", "ZZ", "ZZ", "ZZ"),
    ],
)
def test_a_coded_value_of_the_registration_is_in_words(
    name: str, value: Any, zh: str, en: str | None
) -> None:
    """A code that no table has stays as it is."""
    shown = field_value("registration", name, {name: value}, CATALOGUE)
    assert shown.zh == zh
    assert en is None or shown.en == en


def test_a_headline_says_what_its_numbers_and_answers_are() -> None:
    """No bare 7 or 是."""
    paid = {"kind": "tax", "period": "2026-06", "on_time": False}
    assert [each.zh for each in headline("tax_and_social", paid, CATALOGUE)] == [
        "纳税",
        "2026-06",
        "未按时缴纳",
    ]
    complaints = {"period": "2026-06", "received": 7}
    assert [each.zh for each in headline("complaint", complaints, CATALOGUE)][-1] == "受理件数 7"
