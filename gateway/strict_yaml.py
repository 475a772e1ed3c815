"""Strict YAML reader: safe types only, no key twice, bounded nesting. Raises `yaml.YAMLError`.

Parsed by libyaml, seven times as fast as PyYAML's own parser, which every start of a process would
feel. Its composer recurses in C without a limit, so that the depth is checked on the events first.
"""

from collections.abc import Hashable
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 32
_OPENING: Final = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING: Final = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def load(text: str) -> Any:  # whatever the document holds
    """The document in `text`, in Python's own types."""
    _check_depth(text)
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  # a safe loader


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} levels deep")


class _StrictLoader(yaml.CSafeLoader):
    """Safe loader that refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        found = super().construct_mapping(node, deep)  # refuses a key that cannot be hashed
        if len(keys) != len(set(keys)):
            raise yaml.MarkedYAMLError(
                problem=f"a key stands twice among {keys}", problem_mark=node.start_mark
            )
        return found
