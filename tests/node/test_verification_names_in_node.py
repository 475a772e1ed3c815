"""A second implementation of name comparison, in JavaScript, against the published vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.name_vectors import ROOT, VECTORS, dictionary
from tests.node.programs import FOLDER, NodeMissingError, find_node
from tests.waiting import PATIENCE
from verification.answer_vectors import answer_vectors
from verification.vectors_check import check, report


def test_an_independent_implementation_passes_the_vectors(tmp_path: Path) -> None:
    """Written from the published steps, with Node's own Unicode: no code is shared."""
    try:
        node = find_node().node
    except NodeMissingError as missing:
        pytest.skip(str(missing))
    opencc = {
        "phrases": first_of("TSPhrases", tmp_path),
        "characters": first_of("TSCharactersExt", tmp_path) | first_of("TSCharacters", tmp_path),
    }
    (tmp_path / "opencc.json").write_text(json.dumps(opencc), "utf-8")
    command = [
        node,
        str(FOLDER / "names.mjs"),
        str(VECTORS / "EquivalentUnifiedIdeograph.txt"),
        str(ROOT / "tables" / "names.v2.json"),
        str(tmp_path / "opencc.json"),
    ]
    outcome = check(command, answer_vectors(), patience=PATIENCE)
    assert outcome.passed, report(outcome)


def first_of(name: str, folder: Path) -> dict[str, str]:
    return {one: others[0] for one, others in dictionary(name, folder)}
