"""`xinqiao deliver` without a gateway: refused files and options, sizes of parts, foreign names."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from xinqiao._core.uploads import LARGEST_PART, SMALLEST_PART, next_part_size
from xinqiao.cli import _show
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import Language
from xinqiao.cli.deliver import summary
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


def test_parts_grow_on_a_fast_line_and_shrink_on_a_slow_one() -> None:
    """Between 1 and 16 MiB, so that each arrives within the gateway's five minutes."""
    assert next_part_size(SMALLEST_PART, 0.1) == 2 * SMALLEST_PART
    assert next_part_size(LARGEST_PART, 0.1) == LARGEST_PART
    assert next_part_size(4 * SMALLEST_PART, 10) == 4 * SMALLEST_PART
    assert next_part_size(4 * SMALLEST_PART, 30) == 2 * SMALLEST_PART
    assert next_part_size(SMALLEST_PART, 200) == SMALLEST_PART


def test_names_of_columns_do_not_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences in them are shown as marks."""
    said = StringIO()
    monkeypatch.setattr(_show.notes, "_file", said)
    summary.note("列\x1b[2J\x1b]0;x\x07")
    assert said.getvalue() == "列\ufffd[2J\ufffd]0;x\ufffd\n"
