"""Jinja environments of page templates, one for each language, compiled for speed.

A page has a hundred texts and values, and Jinja looks at each call and at each value for as long as the
page's own work takes. So `t('中文', 'English')` becomes the text of the environment's language when the
template is compiled, `t(text)` becomes an attribute, other calls are plain ones (no function of ours
asks Jinja for its context), and texts are escaped by markupsafe's C function without making a `Markup`.
A macro without defaults is a function of its arguments by position. A page and the layouts that it
extends are one template: its blocks stand where the layout names them.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any, Final, cast

from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
    nodes,
    select_autoescape,
)
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]  # no public name

from gateway.pages.i18n import Language

_LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


def escaped(value: object) -> str:
    """A value as it stands in a page."""
    if type(value) is str:
        return _escape_inner(value)
    return value if type(value) is Markup else escape(value)


def marked(text: str) -> Markup:
    """A text that is markup; `Markup` itself first asks what it is given."""
    return str.__new__(Markup, text)


class _OneLanguage(NodeTransformer):
    """Puts the text of one language in place of `t(zh, en)`, and its name in place of `language`."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802  # Jinja's name
        """A name in a template."""
        return nodes.Const(self._language) if node.name == "language" else node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # Jinja's name
        """A call in a template."""
        self.generic_visit(node)
        if not _is_translation(node) or len(node.args) == 1:
            return node
        zh, en = node.args
        return en if self._language == "en" else zh


class _OwnBlocks(NodeTransformer):
    """Puts a page's own blocks in the place of its layout's."""

    def __init__(self, blocks: Mapping[str, nodes.Block]) -> None:
        self._blocks = blocks

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802  # Jinja's name
        """A block of the layout; the page's may hold further ones, but none that the layout has."""
        self.generic_visit(node)
        return self._blocks.get(node.name, node)


class _InPlace(NodeTransformer):
    """Puts the content of each block in its place."""

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802  # Jinja's name
        """A block, which has a scope of its own."""
        self.generic_visit(node)
        return nodes.Scope(node.body)


class _PageCodeGenerator(CodeGenerator):
    """Compiles templates of one language, without Jinja's dispatch of calls."""

    def visit_Template(  # noqa: N802  # Jinja's name
        self, node: nodes.Template, frame: Frame | None = None
    ) -> None:
        """A template."""
        node = _InPlace().visit(_OneLanguage(self._language).visit(node))
        super().visit_Template(node, frame)

    def visit_Call(  # noqa: N802  # Jinja's name
        self,
        node: nodes.Call,
        frame: Frame,
        forward_caller: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """A call in a template."""
        if _is_translation(node):
            self.visit(node.args[0], frame)
            self.write(f".{self._language}")
        elif forward_caller or node.dyn_args or node.dyn_kwargs:
            super().visit_Call(node, frame, forward_caller=forward_caller)
        else:
            self.visit(node.node, frame)
            self.write("(")
            for argument in (*node.args, *node.kwargs):
                self.visit(argument, frame)
                self.write(", ")
            self.write(")")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        """A macro: a function, unless it has defaults or asks for more than its arguments."""
        asks_for_more = (
            macro_ref.accesses_kwargs or macro_ref.accesses_varargs or macro_ref.accesses_caller
        )
        if asks_for_more or macro_ref.node.defaults or not frame.eval_ctx.autoescape:
            super().macro_def(macro_ref, frame)
        else:
            self.write("environment.macro(macro)")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        """An attribute, or else what Jinja makes of it: an item of that name."""
        self.write("(found if (found := getattr(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}, missing)) is not missing else ")
        super().visit_Getattr(node, frame)
        self.write(")")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """The contents of a template, as one piece."""
        if frame.buffer is not None or not frame.toplevel:
            super().blockvisit(nodes, frame)
            return
        self.buffer(frame)
        super().blockvisit(nodes, frame)
        self.writeline(f"yield concat({frame.buffer})")
        frame.buffer = None

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        """Begin the output of a value."""
        if not frame.eval_ctx.autoescape or frame.eval_ctx.volatile:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("(environment.escaped_text(value) if type(value := ")

    def _output_child_post(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        """End the output of a value; most are plain texts."""
        if not frame.eval_ctx.autoescape or frame.eval_ctx.volatile:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(") is str else environment.escaped(value))")

    @property
    def _language(self) -> Language:
        return cast("Language", self.environment.globals["language"])


class _PageEnvironment(Environment):
    """Environment of templates in one language."""

    code_generator_class = _PageCodeGenerator

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Globals of every template, as one dictionary: each page copies it, and Jinja's chain slowly."""
        return {**self.globals, **(d or {})}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """The tree of a template, within that of the layout that it extends."""
        page = super()._parse(source, name, filename)
        extends = page.find(nodes.Extends)
        if extends is None or self.loader is None:
            return page
        layout_name = extends.template.as_const()
        source = self.loader.get_source(self, layout_name)[0]
        blocks = {each.name: each for each in page.body if isinstance(each, nodes.Block)}
        # What a page writes outside its blocks is not shown.
        left_out = (nodes.Block, nodes.Extends, nodes.Output)
        before = [each for each in page.body if not isinstance(each, left_out)]
        layout: nodes.Template = _OwnBlocks(blocks).visit(self._parse(source, layout_name, None))
        layout.body = [*before, *layout.body]
        return layout

    @staticmethod
    def macro(body: Callable[..., str]) -> Callable[..., Markup]:
        """A macro, whose body is escaped already."""
        return lambda *given: marked(body(*given))

    escaped = staticmethod(escaped)
    escaped_text = staticmethod(_escape_inner)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Jinja's own cache takes a lock, and asks for the template's loader.
        self.get_template = cache(super().get_template)  # type: ignore[method-assign]


def template_environments(
    package: str, *, filters: Mapping[str, Callable[..., Any]], **globals_: Any
) -> Mapping[Language, Environment]:
    """The environments of one package's templates, with the shared layout."""
    found: dict[Language, Environment] = {}
    for language in _LANGUAGES:
        environment = _PageEnvironment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("gateway.pages")]),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # else each page asks for the time of each of its templates' files
        )
        environment.globals.update(globals_, language=language)
        environment.filters.update(filters)
        found[language] = environment
    return found


def _is_translation(node: nodes.Call) -> bool:
    return isinstance(node.node, nodes.Name) and node.node.name == "t"
