"""Jinja environments of page templates, one for each language.

`t('中文', 'English')` with two string literals becomes the literal of the language when the template is
compiled, and other calls of `t` are plain ones: Jinja's own call looks at its callee for a few microseconds,
and a page has a hundred texts.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
    nodes,
    select_autoescape,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension

from gateway.pages.i18n import Language, Translated

_LITERAL: Final = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CONSTANT: Final = re.compile(rf"\bt\({_LITERAL},\s*{_LITERAL}\)", re.DOTALL)
_LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


class _PlainCalls(CodeGenerator):
    """Compiles calls of `t` without Jinja's dispatch."""

    def visit_Call(  # noqa: N802  # Jinja's name
        self,
        node: nodes.Call,
        frame: Frame,
        forward_caller: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """A call in a template."""
        if not (isinstance(node.node, nodes.Name) and node.node.name == "t"):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for argument in node.args:
            self.visit(argument, frame)
            self.write(", ")
        self.write(")")


class _TemplateEnvironment(Environment):
    """Environment of templates in one language."""

    code_generator_class = _PlainCalls


class _Translation(Extension):
    """Puts the literal of the environment's `language` in place of a constant `t(…)`."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template's source with its constant texts in one language."""
        del name, filename
        group = 2 if self.environment.globals["language"] == "en" else 1
        return _CONSTANT.sub(lambda found: found[group], source)


def template_environments(
    package: str, *, filters: Mapping[str, Callable[..., Any]], **globals_: Any
) -> Mapping[Language, Environment]:
    """The environments of one package's templates, with the shared layout."""
    found: dict[Language, Environment] = {}
    for language in _LANGUAGES:
        environment = _TemplateEnvironment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("gateway.pages")]),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # else each page asks for the time of each of its templates' files
        )
        environment.globals.update(globals_, language=language, t=partial(_text, language))
        environment.filters.update(filters)
        environment.add_extension(_Translation)
        found[language] = environment
    return found


def _text(language: Language, zh: str | Translated, en: str = "") -> str:
    """The text in a language."""
    text = zh if isinstance(zh, Translated) else Translated(zh, en)
    return text.text(language)
