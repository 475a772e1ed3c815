"""Amounts of money in words, with their unit."""

import pytest

from gateway.creditfile.amounts import amount_text, is_amount
from gateway.creditfile.labels import field_label, field_value, headline
from gateway.pages.i18n import Translated
from tests.creditfile_builders import CATALOGUE


@pytest.mark.parametrize(
    ("held", "zh", "en"),
    [
        ("3.150000", "3.15 万元", "31,500 yuan"),
        ("0.6", "6,000 元", "6,000 yuan"),
        ("0.000001", "0.01 元", "0.01 yuan"),
        ("1", "1 万元", "10,000 yuan"),
        ("12345", "12345 万元", "123,450,000 yuan"),
        ("-0.5", "-5,000 元", "-5,000 yuan"),
        ("0", "0 元", "0 yuan"),
        ("200", "200 万元", "2,000,000 yuan"),
    ],
)
def test_an_amount_is_told_as_each_language_counts(held: str, zh: str, en: str) -> None:
    """In 万 and 元 in Chinese, in whole yuan in English."""
    assert amount_text(held) == Translated(zh, en)


def test_capital_is_told_in_its_own_currency() -> None:
    """Without the unit in the field's name, which would say 万元 twice."""
    assert field_label("registration", "capital", CATALOGUE) == ("注册资本", "Registered capital")
    shown = {
        currency: field_value(
            "registration", "capital", {"capital": "50.0", "currency": currency}, CATALOGUE
        )
        for currency in ("CNY", "USD", "")
    }
    assert shown["CNY"] == shown[""] == ("50 万元", "500,000 yuan")
    assert shown["USD"] == ("50 万美元", "USD 500,000")


def test_no_currency_is_made_up() -> None:
    """A shareholder's part is in the units of the capital, whose currency its record does not name."""
    shown = field_value("shareholder", "subscribed", {"subscribed": "60"}, CATALOGUE)
    assert shown == ("60 万元", "600,000")


def test_a_bare_year_is_named_in_a_headline() -> None:
    """“A · 2025” does not say of what the year is."""
    assert headline("tax_credit_level", {"level": "A", "year": "2025"}, CATALOGUE) == [
        ("A", "A"),
        ("评价年度 2025", "Year 2025"),
    ]


def test_every_number_of_the_catalogue_is_an_amount_or_says_what_it_is() -> None:
    """Shares are in per cent; everything else with a fraction is money."""
    others = {
        (dataset.code, field.name)
        for dataset in CATALOGUE.datasets
        for field in dataset.fields
        if field.type == "decimal" and not is_amount(Translated(field.zh, field.en))
    }
    assert others == {("shareholder", "share")}
