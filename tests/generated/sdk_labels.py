"""Labels of codes for the SDK's command, from the catalogue and the code; `make docs` writes them."""

import json
from pathlib import Path
from typing import Any, Final

from consent.model import PURPOSE_NAMES
from gateway import problems
from gateway.codes.public_page.sections import none_found_text
from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.column_names import USCC
from gateway.creditfile.value_labels import VALUES
from gateway.disclosure.application_outcomes.model import OUTCOME_WORDS, REASON_WORDS
from gateway.ingest.row_lists.wording import WARNING_REASONS
from gateway.pages.i18n import Translated
from verification import QUESTIONS

LABELS: Final = Path(__file__).parents[2] / "sdk" / "src" / "xinqiao" / "cli" / "labels.json"


def labels_of(catalogue: Catalogue) -> dict[str, Any]:
    """Texts by code and language: datasets with fields, values of fields, questions, purposes,
    outcomes and their reasons, warnings, problems, names of the column of the USCC."""
    listed = catalogue.licensing_items
    items = {each.code: (each.zh, each.en) for each in (listed.items if listed else ())}
    values = items | {value: (label.zh, label.en) for value, label in VALUES.items()}
    return {
        "uscc_columns": [USCC, *catalogue.deliveries.uscc],
        "datasets": {code: _dataset(catalogue, code) for code in sorted(catalogue.codes)},
        "values": {value: {"zh": zh, "en": en} for value, (zh, en) in values.items()},
        "questions": {each.tag: {"zh": each.title_zh, "en": each.title_en} for each in QUESTIONS},
        "purposes": {
            str(code): {"zh": name.zh, "en": name.en} for code, name in PURPOSE_NAMES.items()
        },
        "outcomes": {
            str(code): {"zh": said.zh, "en": said.en}
            for code, said in (*OUTCOME_WORDS.items(), *REASON_WORDS.items())
        },
        "warnings": {each.value: texts_of(said) for each, said in WARNING_REASONS.items()},
        "problems": {code: {"zh": zh, "en": en} for code, (_, zh, en) in problems.TABLE.items()},
    }


def texts_of(said: Translated) -> dict[str, str]:
    """A text by language."""
    return {"zh": said.zh, "en": said.en}


def _dataset(catalogue: Catalogue, code: str) -> dict[str, Any]:
    """Texts of a dataset by language: its name, what an empty one says, and its fields."""
    dataset = catalogue.dataset(code)
    nothing = none_found_text(dataset, catalogue.rules_of(code), "", "{moment}")
    return {
        language: {
            "name": getattr(dataset, language),
            "nothing": getattr(nothing, language),
            "fields": {each.name: getattr(each, language) for each in dataset.fields},
        }
        for language in ("zh", "en")
    }


def text_of(catalogue: Catalogue) -> str:
    """The file."""
    return json.dumps(labels_of(catalogue), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    print(text_of(load_catalogue()), end="")
