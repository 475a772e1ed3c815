"""Error codes of `docs/integrate/http.md`: all that `/v1` and `/oauth` can answer, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.oauth
from gateway.oauth.errors import SENTENCES
from gateway.problems import TABLE
from tests.docs.pages import CHINESE, DOCS, sections

PAGES = [DOCS / "integrate" / "http.md", CHINESE / "integrate" / "http.md"]


def names_of_section_7(page: Path) -> set[str]:
    """Names that the section on problems has in code."""
    [found] = [each for each in sections(page) if each.title.startswith("7.")]
    return found.names


def errors_of_oauth() -> Iterator[str]:
    """First arguments of `OAuthError`, errors of Authlib, and the one that the redirect carries."""
    yield from (*SENTENCES, "access_denied")
    for file in Path(gateway.oauth.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "OAuthError":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


@pytest.mark.parametrize("page", PAGES, ids=("en", "zh"))
def test_every_code_of_the_api_is_explained(page: Path) -> None:
    """In the tables or, of departments and operators, in the sentence below them."""
    assert set(TABLE) <= names_of_section_7(page)


@pytest.mark.parametrize("page", PAGES, ids=("en", "zh"))
def test_every_error_of_oauth_is_explained(page: Path) -> None:
    """And where a status is written beside a code it is the code's own."""
    found = set(errors_of_oauth())
    assert {"invalid_target", "use_dpop_nonce"} <= found
    assert found <= names_of_section_7(page)
    rows = re.findall(
        r"^\| (\d{3}) \| `([a-z_]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {code: int(status) for status, code in rows}.items() <= {
        code: status for code, (status, *_) in TABLE.items()
    }.items()
