"""The strict YAML reader: no key twice, bounded nesting, safe types, the same values as PyYAML's own."""

import pytest
import yaml

from gateway import strict_yaml
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE


def test_the_published_catalogue_reads_as_pyyamls_own_parser_reads_it() -> None:
    """Both parsers give the same document."""
    text = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    assert strict_yaml.load(text) == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: 1\na: 2", "{b: {c: 1, c: 1}}", "- {1: x, 1: y}"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    """Neither of the two values wins silently."""
    with pytest.raises(yaml.MarkedYAMLError, match="stands twice"):
        strict_yaml.load(text)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000, f"{'[' * 33}{']' * 33}"],
    ids=["lists", "maps", "blocks", "keys", "one-more"],
)
def test_a_document_that_nests_without_end_is_refused(text: str) -> None:
    """Libyaml's composer recurses in C: the process would end."""
    with pytest.raises(yaml.YAMLError):
        strict_yaml.load(text)


def test_as_many_levels_as_are_allowed_are_read() -> None:
    """The limit itself is not over it."""
    assert strict_yaml.load(f"{'[' * strict_yaml.MAX_DEPTH}{']' * strict_yaml.MAX_DEPTH}")


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.getcwd []", "!!python/name:os.system", "!x 1", "? [1]\n: 2"]
)
def test_only_plain_types_are_read(text: str) -> None:
    """Tags of programs, tags of nobody and keys that are lists are refused."""
    with pytest.raises(yaml.YAMLError):
        strict_yaml.load(text)
