"""Jinja environments by language: what is chosen at compile time is what `t` would have said."""

import re
from pathlib import Path
from typing import Final

import pytest
from jinja2 import DictLoader, Environment

import gateway
from gateway.pages.i18n import Language, Translated
from gateway.pages.translated_templates import template_environments

TEMPLATES: Final = {
    "a": """{{ t('中文', 'English') }}|{{ t("it's", 'a "quote"') }}|{{ t('<b>', '<i>') }}|{{ t(text) }}|"""
    """{{ t('有 ' ~ n ~ ' 条', n ~ ' records') }}|{{ t('一' if n else '二', 'one' if n else 'two') }}|"""
    """<p title="{{ t('\\'', '&') }}">|{{ text|length }}{{ at('x', 'y') }}{{ upper('a') }}""",
}


def environment(language: Language) -> Environment:
    """The environment with templates of the test."""
    made = template_environments("gateway.pages", filters={}, upper=str.upper, at=max)[language]
    made.loader = DictLoader(TEMPLATES)
    return made


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh", '中文|it&#39;s|&lt;b&gt;|甲&lt;|有 2 条|一|<p title="&#39;">|2yA'),
        ("en", 'English|a &#34;quote&#34;|&lt;i&gt;|A&lt;|2 records|one|<p title="&amp;">|2yA'),
    ],
)
def test_texts_are_chosen_and_escaped(language: Language, expected: str) -> None:
    """Literals at compile time, others at each call; whatever it says is escaped."""
    page = environment(language).get_template("a")
    assert page.render(text=Translated("甲<", "A<"), n=2) == expected


def test_every_template_calls_t_without_names() -> None:
    """As it is compiled, `t` takes arguments by position only."""
    templates = list(Path(gateway.__file__).parent.rglob("templates/**/*.html"))
    assert len(templates) > 50
    for template in templates:
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\bt\([^()]*\b(zh|en)=", source), template
        assert not re.search(r"^(<<<<<<<|>>>>>>>) ", source, re.MULTILINE), template


MACROS: Final = {
    "m": "{% macro plain(name) %}<b>{{ name }}</b>{% endmacro %}"
    "{% macro hinted(name, hint='') %}<i>{{ name }}{{ hint }}</i>{% endmacro %}"
    "{% macro around(name) %}<u>{{ name }}{{ caller() }}</u>{% endmacro %}",
    "page": "{% import 'm' as m %}{% macro own(name) %}{{ m.plain(name) }}{% endmacro %}"
    "{{ own('<') }}{{ m.hinted('<') }}{{ m.hinted('a', hint='&') }}"
    "{% call m.around('<') %}{{ m.plain('>') }}{% endcall %}",
}


def test_what_a_macro_says_is_escaped_once() -> None:
    """In a macro of its own, from another template, with a default, and around a block."""
    made = environment("zh")
    made.loader = DictLoader(MACROS)
    assert made.get_template("page").render() == (
        "<b>&lt;</b><i>&lt;</i><i>a&amp;</i><u>&lt;<b>&gt;</b></u>"
    )


LAYOUTS: Final = {
    "frame": "<{% block title %}{% endblock %}|{% block main %}none{% endblock %}|{{ language }}>",
    "card": "{% extends 'frame' %}{% block main %}({% block page %}{% endblock %}){% endblock %}",
    "page": "{% extends 'card' %} not shown {% set name = '&' %}"
    "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}"
    "{% block title %}{% set name = 'inner' %}{{ name }}{% endblock %}"
    "{% block page %}{{ bold(name) }}{{ given }}{% endblock %}",
}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_fills_the_blocks_of_its_layouts(language: Language) -> None:
    """As Jinja fills them: over two layouts, with what the page sets, and a block's names its own."""
    made, plain = environment(language), Environment(autoescape=True)
    made.loader = plain.loader = DictLoader(LAYOUTS)
    plain.globals["language"] = language
    shown = made.get_template("page").render(given="<")
    assert shown == f"<inner|(<b>&amp;</b>&lt;)|{language}>"
    assert shown == plain.get_template("page").render(given="<")
    assert made.get_template("frame").render() == f"<|none|{language}>"
