"""Sample codes in documents, examples and OpenAPI: each is well formed, and its check character fits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import DOCS, ROOT
from tests.openapi_description import api_document
from verification import EnterpriseCode, enterprise_code

A_CODE: Final = re.compile(r"(?<![0-9A-Za-z_])9[123][0-9]{6}[0-9A-Z]{10}(?![0-9A-Za-z_])")
FILES: Final = sorted(
    [
        *(
            each
            for each in DOCS.rglob("*")
            if each.suffix in {".md", ".sh", ".mjs", ".java", ".go"}
        ),
        *(page for folder in (ROOT, ROOT / "sdk") for page in folder.glob("*.md")),
    ]
)


def codes_in(text: str) -> Iterator[str]:
    """What looks like the code of an enterprise."""
    return (found[0] for found in A_CODE.finditer(text))


def is_sound(code: str) -> bool:
    """True if the code is an enterprise's and its check character fits."""
    read = enterprise_code(code)
    return isinstance(read, EnterpriseCode) and read.check_agrees


@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.relative_to(ROOT)))
def test_each_code_in_a_document_has_its_check_character(file: Path) -> None:
    """A reader copies it, and is not warned."""
    assert [each for each in codes_in(file.read_text(encoding="utf-8")) if not is_sound(each)] == []


def test_each_code_in_the_openapi_document_has_its_check_character(tmp_path: Path) -> None:
    """Of the examples of requests and answers."""
    found = set(codes_in(json.dumps(api_document(tmp_path))))
    assert found
    assert [each for each in found if not is_sound(each)] == []


@pytest.mark.parametrize("code", ["91330106MA2XXXXXXX", "91330106MAHD08319N"])
def test_a_made_up_code_is_found(code: str) -> None:
    """The last two tests would refuse it."""
    assert [*codes_in(f'"uscc": "{code}", …')] == [code]
    assert not is_sound(code)
