"""Deliveries of `xinqiao deliver`, with their options."""

from pathlib import Path
from typing import Any

from xinqiao.cli._language import Language
from xinqiao.cli.deliver.delivery import Delivery, Options, prepare


def delivery_of(path: Path, **changed: Any) -> Delivery:
    """The delivery of a file of penalties."""
    values: dict[str, Any] = {
        "dataset": "penalty", "report": None, "overwrite": False, "columns": None,
        "ignore_unknown": False, "format": None, "encoding": None, "sheet": None,
    }  # fmt: skip
    return prepare(path, Options(**{**values, **changed}), Language.EN)
