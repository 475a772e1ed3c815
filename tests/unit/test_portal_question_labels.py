"""Labels of questions: with every value that a consent allows, and with the one that was asked."""

import pytest

from gateway.portal.question_labels import asked_label, question_label, value_name
from tests.portal_fixture import CATALOGUE
from verification import QUESTIONS, Question, find_question


def question(tag: str) -> Question:
    """The question of this tag."""
    found = find_question(tag)
    assert found is not None
    return found


@pytest.mark.parametrize("each", QUESTIONS, ids=lambda each: each.tag)
def test_a_question_names_every_value_it_takes(each: Question) -> None:
    """In both languages; no placeholder, rule name or code is left."""
    label = question_label(each, CATALOGUE)
    for value in each.values:
        name = value_name(each, value, CATALOGUE)
        assert name.zh in label.zh
        assert name.en in label.en
        one = asked_label(each, CATALOGUE, value)
        assert name.zh in one.zh
        assert one != label
    for text in label:
        assert not set(text) & set("{}_")
        assert ".v" not in text


@pytest.mark.parametrize(
    ("tag", "zh"),
    [
        ("rating_at_least.v1", "公共信用评价是否达到对方指定的等级（优秀、良好、中等、较差、差）"),
        ("paid_social_insurance_on_time.v1", "最近 3、6、12 或 24 个月是否按时缴纳社保"),
        ("established_for.v1", "成立是否已满 1、3、5 或 10 年"),
    ],
)
def test_a_banded_question_is_a_whole_sentence(tag: str, zh: str) -> None:
    """As on the decision page, in consents and on receipts."""
    assert question_label(question(tag), CATALOGUE).zh == zh


def test_a_question_without_a_recorded_value_is_as_in_a_consent() -> None:
    """Disclosures of earlier releases."""
    each = question("established_for.v1")
    assert asked_label(each, CATALOGUE, None) == question_label(each, CATALOGUE)
