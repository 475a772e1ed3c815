"""CSV list of the demo's enterprises (RFC 4180, UTF-8), written while the province is loaded."""

import csv
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise

COLUMNS: Final = ("uscc", "name", "legal_representative", "kind")


def listed(stream: Iterable[SyntheticEnterprise], file: TextIO) -> Iterator[SyntheticEnterprise]:
    """Yield the same stream while writing one line for each enterprise."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for entity in stream:
        lines.writerow([getattr(entity.enterprise, each) for each in COLUMNS])
        yield entity
