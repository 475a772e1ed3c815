"""Files and options of `xinqiao deliver` that are refused before anything is sent."""

from pathlib import Path
from typing import Any

import pytest

from xinqiao.cli._errors import InputError
from xinqiao.cli._language import Language
from xinqiao.cli.deliver.delivery import Delivery, Options, prepare


def delivery_of(path: Path, **changed: Any) -> Delivery:
    """The delivery of a file of penalties."""
    values: dict[str, Any] = {
        "dataset": "penalty", "report": None, "overwrite": False, "columns": None,
        "ignore_unknown": False, "format": None, "encoding": None, "sheet": None,
    }  # fmt: skip
    return prepare(path, Options(**{**values, **changed}), Language.EN)


def test_what_is_known_to_fail_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """With a sentence for each case."""
    good, empty = tmp_path / "good.csv", tmp_path / "empty.csv"
    good.write_text("uscc\n", encoding="utf-8")
    empty.touch()
    existing = tmp_path / "good.csv.rejected.xlsx"
    cases: tuple[tuple[Path, dict[str, Path], str], ...] = (
        (good, {"report": tmp_path / "no" / "r.xlsx"}, "--report"),
        (good, {"report": good}, "exists"),
        (good, {"columns": tmp_path / "no.yaml"}, "no such file"),
        (tmp_path / "no.csv", {}, "no such file"),
        (tmp_path, {}, "is a folder"),
        (empty, {}, "is empty"),
    )
    for path, changed, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            delivery_of(path, **changed)
    existing.touch()
    with pytest.raises(InputError, match="--force"):
        delivery_of(good)
    assert delivery_of(good, overwrite=True).report == existing
