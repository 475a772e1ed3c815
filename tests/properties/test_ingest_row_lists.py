"""Lists of rejected rows and warnings contain nothing of a delivered value, whatever it is."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.value_labels import VALUES
from tests.creditfile_builders import CATALOGUE, USCC
from tests.ingest_reader import ReadResult, reader_in
from tests.sampling import sampled
from verification import id_check_character

DATASET = "penalty"
FIELDS = CATALOGUE.dataset(DATASET).fields
ID_NUMBER = "33010619900101123" + id_check_character("33010619900101123")
MARK = "龘"
"""A letter that no name of the catalogue has."""
_WORDS = sorted(
    {word for field in FIELDS for word in field.value_of_word}
    | {each.zh for each in VALUES.values()}
)
_VALUES = (
    st.sampled_from(_WORDS).map(lambda word: f"{word[:-1]}{MARK}")
    | st.sampled_from(_WORDS).map(lambda word: f"{MARK}{word}")
    | st.sampled_from(_WORDS).map(lambda word: f"{word}{ID_NUMBER}")
    | st.sampled_from([ID_NUMBER, f"{MARK}{ID_NUMBER}", f"2026-13-{MARK}", f"-{MARK}", MARK * 50])
    | st.text(f"{MARK}罚款0123", min_size=1, max_size=8).map(lambda text: f"{text}{MARK}")
)
_ROWS = st.lists(
    st.dictionaries(st.sampled_from([each.name for each in FIELDS]), _VALUES, max_size=6),
    min_size=1,
    max_size=4,
)


def listed(found: ReadResult) -> str:
    """Everything that is listed, in both languages and as it is stored."""
    said = [found.rejects_in(each) + found.warnings_in(each) for each in ("zh", "en")]
    stored = [each.rejects + each.warned for each in found.chunks]
    return json.dumps(said, ensure_ascii=False) + b"".join(stored).decode() + repr(found.refused)


@settings(max_examples=sampled(60, full=2_000), deadline=None)
@given(_ROWS)
def test_no_delivered_value_is_listed(rows: list[dict[str, str]]) -> None:
    """In CSV and NDJSON; the nearest values are the catalogue's."""
    full = [
        {"uscc": USCC, "document_number": f"罚{n}", "kinds": "罚款", "decided_on": "2026-03-02"}
        | {"facts": "x", **row}
        for n, row in enumerate(rows)
    ]
    columns = list(dict.fromkeys(name for row in full for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(full)
    as_json = "\n".join(json.dumps({**row, f"{MARK}_{n}": MARK}) for n, row in enumerate(full))
    with TemporaryDirectory() as folder:
        read = reader_in(Path(folder))
        for found in (read(text.getvalue()), read(as_json, "ndjson")):
            said = listed(found)
            assert MARK not in said
            assert ID_NUMBER not in said
            for each in found.rejects_in("zh"):
                assert each["accepted"] or each["code"] not in {"not_in_catalogue", "not_a_date"}
