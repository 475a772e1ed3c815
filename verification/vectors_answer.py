"""This package as a command for `verification.vectors_check`: `python -m verification.vectors_answer`."""

import json
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from verification.asked_question import Asked
from verification.evaluate import evaluate
from verification.facts import Facts
from verification.names_v2 import loose_readings, strict_name_v2
from verification.normalise import NAMES_VERSION, loose_name, strict_name

_DAY: Final = date(2026, 1, 1)  # no name depends on the day


def reply_to(request: Mapping[str, Any]) -> dict[str, str]:
    """The reply to one request of the vectors."""
    version, asserted = request["version"], request["asserted"]
    asked = Asked(tag=f"{request['attribute']}.{version.rpartition('.')[2]}", value=asserted)
    held = request["held"]
    facts = Facts(
        name=held["name"],
        former_names=tuple(held.get("former_names", ())),
        legal_representative=held["name"],
        available=frozenset({"registration"}),
    )
    (answered,) = evaluate(
        [asked],
        facts,
        allowed={asked},
        digest=str.encode,
        today=_DAY,
    )
    match = {"match": answered.match} if answered.match else {}
    return {"id": request["id"], "answer": answered.answer, **match, **_forms(version, asserted)}


def _forms(version: str, asserted: str) -> dict[str, str]:
    if version == NAMES_VERSION:
        return {"strict": strict_name(asserted), "loose": loose_name(asserted)}
    loose, also = loose_readings(asserted)
    forms = {"strict": strict_name_v2(asserted), "loose": loose}
    return forms if also == loose else {**forms, "also": also}


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(reply_to(json.loads(line))) + "\n")
