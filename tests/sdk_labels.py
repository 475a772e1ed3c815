"""Labels of datasets and fields for the SDK's command, from the catalogue; `make docs` writes them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.codes.summary import none_found_text
from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.pages.rendering import format_moment

LABELS: Final = Path(__file__).parents[1] / "sdk" / "src" / "xinqiao" / "cli" / "labels.json"
_WHEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def labels_of(catalogue: Catalogue) -> dict[str, Any]:
    """Texts by dataset and language: its name, what an empty one says, and its fields."""
    found = {}
    for code in sorted(catalogue.codes):
        dataset = catalogue.dataset(code)
        nothing = none_found_text(dataset, catalogue.rules_of(code), "", _WHEN)
        found[code] = {
            language: {
                "name": getattr(dataset, language),
                "nothing": getattr(nothing, language).replace(format_moment(_WHEN), "{moment}"),
                "fields": {each.name: getattr(each, language) for each in dataset.fields},
            }
            for language in ("zh", "en")
        }
    return found


def text_of(catalogue: Catalogue) -> str:
    """The file."""
    return json.dumps(labels_of(catalogue), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    print(text_of(load_catalogue()), end="")
