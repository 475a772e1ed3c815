"""The bulletin as a self-contained HTML page, Chinese first: everything is escaped, nothing is loaded."""

from collections.abc import Sequence
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.data_quality.document import Document

_page: Final = Environment(
    loader=PackageLoader("gateway.data_quality"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def bulletin_page(documents: Sequence[Document]) -> str:
    """The page."""
    return _page.get_template("bulletin.html").render(documents=documents)
