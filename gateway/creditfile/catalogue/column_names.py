"""Column names of delivered files: field codes, Chinese names and aliases of one dataset, folded."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import DeliveryForms, fold_name

USCC: Final = "uscc"
KEY: Final = "key"
SOURCE_TIME: Final = "source_time"
ROW_MEMBERS: Final = (USCC, KEY, SOURCE_TIME)
"""Members of a row that are not fields of its dataset."""
IGNORED: Final = "-"
"""Target of a column that is known and not kept."""
SUBJECT_KIND: Final = "?"
"""Target of the column that says whether the row is of a natural person."""
NOT_KEPT: Final = frozenset({IGNORED, SUBJECT_KIND})


class ColumnClashError(ValueError):
    """One name of a column stands for two fields."""


def column_targets(dataset: DatasetDefinition, forms: DeliveryForms) -> Mapping[str, str]:
    """Targets of columns by folded name: a field or row member, `SUBJECT_KIND` or `IGNORED`.

    Chinese names that two fields share are left out. Raises `ColumnClashError`.
    """
    targets: dict[str, str] = {}
    for name, target in _own_names(dataset, forms):
        if targets.setdefault(fold_name(name), target) != target:
            message = f"dataset {dataset.code}: a column {name} would be two fields"
            raise ColumnClashError(message)
    kind = forms.passed_over.columns if forms.passed_over else ()
    shared = {**dict.fromkeys(kind, SUBJECT_KIND), **dict.fromkeys(forms.ignored, IGNORED)}
    return {fold_name(name): target for name, target in shared.items()} | targets


def _own_names(dataset: DatasetDefinition, forms: DeliveryForms) -> Iterator[tuple[str, str]]:
    chinese = Counter(fold_name(each.zh) for each in dataset.fields)
    yield from ((each, each) for each in ROW_MEMBERS)
    yield from ((each, USCC) for each in forms.uscc)
    yield from ((each, IGNORED) for each in dataset.ignored)
    for field in dataset.fields:
        yield from ((each, field.name) for each in (field.name, *field.also))
        if chinese[fold_name(field.zh)] == 1:
            yield field.zh, field.name
