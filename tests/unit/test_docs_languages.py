"""Documentation in two languages: English pages and their Chinese twins in `docs/zh`, kept in step."""

import re
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

from tests.docs.pages import CHINESE, DOCS, GENERATED, ROOT, Section, anchors, pairs, sections

PAIRS: Final = [
    *pairs(),
    (ROOT / "README.md", ROOT / "README.zh.md"),
    (ROOT / "sdk" / "README.md", ROOT / "sdk" / "README.zh.md"),
]
TWINS: Final = {chinese: english for english, chinese in PAIRS}
PAGES: Final = sorted(
    page
    for folder in ("docs", "gateway", "consent", "verification", "sdk", "deploy", "tests")
    for page in (ROOT / folder).rglob("*.md")
    if "node_modules" not in page.parts
) + sorted(ROOT.glob("*.md"))
HAN: Final = re.compile(r"[\u4e00-\u9fff]")


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


in_both_languages = pytest.mark.parametrize(
    ("english", "chinese"), PAIRS, ids=[_name(english) for english, _ in PAIRS]
)


def _target(page: Path, link: str) -> tuple[Path, str]:
    """The file and the anchor of a relative link."""
    path, _, anchor = unquote(link).partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


def _in_english(page: Path, link: str) -> tuple[str, int | str]:
    """A link as the English page has it: twins by their originals, anchors by their heading's place."""
    if re.match(r"[a-z]+:", link):
        return link, ""
    file, anchor = _target(page, link)
    places = (
        {each.anchor: n for n, each in enumerate(sections(file))} if file.suffix == ".md" else {}
    )
    return _name(TWINS.get(file, file)), places.get(anchor, anchor)


def _links(page: Path, section: Section, twin: Path) -> Counter[tuple[str, int | str]]:
    return Counter(
        _in_english(page, link) for link in section.links if _target(page, link) != (twin, "")
    )


@in_both_languages
def test_a_page_has_a_twin_with_the_same_sections_code_tables_links_names_and_figures(
    english: Path, chinese: Path
) -> None:
    """Change both. Comments in code may be translated."""
    assert chinese.exists(), f"write {_name(chinese)}"
    original, translated = sections(english), sections(chinese)
    assert [each.level for each in original] == [each.level for each in translated]
    for one, other in zip(original, translated, strict=True):
        where = f"{_name(chinese)}, “{other.title}”, in English “{one.title}”"
        assert one.code == other.code, where
        assert one.tables == other.tables, f"{where}: cells by row"
        assert _links(english, one, chinese) == _links(chinese, other, english), where
        assert one.names == other.names, f"{where}: `code` in the text"
        assert one.figures <= other.figures, f"{where}: figures {one.figures - other.figures}"


@in_both_languages
def test_each_leads_to_the_other_at_its_top(english: Path, chinese: Path) -> None:
    """One line below the title."""
    for page, twin, language in ((english, chinese, "中文"), (chinese, english, "English")):
        line = page.read_text(encoding="utf-8").splitlines()[2]
        found = re.fullmatch(rf"\[{language}\]\((.+)\)", line)
        assert found is not None, f"{_name(page)}: line 3 is [{language}](…)"
        assert _target(page, found[1]) == (twin, "")


def test_a_chinese_page_has_an_original() -> None:
    """None is left behind."""
    assert set(CHINESE.rglob("*.md")) <= set(TWINS)


@in_both_languages
def test_a_chinese_page_leads_to_chinese_pages(english: Path, chinese: Path) -> None:
    """Wherever there is one; in line 3 to its original."""
    links = [_target(chinese, link)[0] for each in sections(chinese) for link in each.links]
    assert [file for file in links if file in set(TWINS.values())] == [english]


def test_generated_pages_are_in_both_languages() -> None:
    """They need no twin: each section has Chinese."""
    generated = [p for p in DOCS.rglob("*.md") if GENERATED in p.read_text(encoding="utf-8")]
    assert generated
    for page in generated:
        for section in page.read_text(encoding="utf-8").split("\n## "):
            assert HAN.search(section), f"{_name(page)}: {section[:40]}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_and_their_anchors_resolve(page: Path) -> None:
    """In every page of the repository, as GitHub makes anchors."""
    for link in (link for section in sections(page) for link in section.links):
        if re.match(r"[a-z]+:", link):
            continue
        file, anchor = _target(page, link)
        assert file.exists(), link
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), link


def test_the_chinese_readme_leads_to_the_chinese_index() -> None:
    """And from there to every twin."""
    readme, index = ROOT / "README.zh.md", CHINESE / "index.md"
    links = {_target(readme, link)[0] for each in sections(readme) for link in each.links}
    assert index in links
    reached = {_target(index, link)[0] for each in sections(index) for link in each.links}
    assert set(CHINESE.rglob("*.md")) <= reached | {index}
