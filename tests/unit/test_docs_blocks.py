"""Reading of a page's code blocks, marks of those that are not run, and comparison of outputs."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks, untranslated
from tests.docs.runner import is_like

PAGE = """# A page

```sh
ls    # look
```

<!-- not run: it needs
a second machine -->
```sh
scp a b:
```

<!-- not run: -->
```sql
SELECT 1
```

1. In a list:

   ```json
   {"a": 1}
   ```
"""


def test_blocks_have_place_language_and_the_reason_of_a_mark(tmp_path: Path) -> None:
    """A mark without a reason has the empty one."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    found = [(each.line, each.language, each.code, each.reason) for each in blocks(page)]
    assert found == [
        (4, "sh", "ls    # look\n", None),
        (10, "sh", "scp a b:\n", "it needs\na second machine"),
        (15, "sql", "SELECT 1\n", ""),
        (21, "json", '{"a": 1}\n', None),
    ]


def test_a_block_of_a_translation_counts_where_more_than_comments_differ(tmp_path: Path) -> None:
    """Everything else was run in the original."""
    page, twin = tmp_path / "page.md", tmp_path / "twin.md"
    page.write_text("```sh\nls    # look\n```\n\n```sh\npwd\n```\n")
    twin.write_text("```sh\nls  # 看\n```\n\n```sh\npwd -P\n```\n")
    assert [each.code for each in untranslated(blocks(page), blocks(twin))] == ["pwd -P\n"]


@pytest.mark.parametrize(
    ("output", "shown", "like"),
    [
        ('{"a": [1, 2]}', '{"a":[1,\n 2]}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ('{"a": 1, "b": 2}', '{"a": 1}', False),
        ('{"id": "cst_abc", "ok": true}', '{"id": "cst_…", "ok": true}', True),
        ('{"at": "2026-11-29T01:00:00+08:00"}', '{"at": "2026-11-22T10:00:00+08:00"}', True),
        ('{"at": "2026-11-29"}', '{"at": "2026-11-22"}', False),
        ("row,field\n2,x\n", "row,field\n2,x", True),
        ("row,field\n2,y\n", "row,field\n2,x", False),
    ],
)
def test_an_output_is_like_what_a_page_shows(output: str, shown: str, *, like: bool) -> None:
    """But for ids, times and layout."""
    assert is_like(output, shown) is like
