"""Separate consents on the wire: `{dataset, fields, given_by}` or `{question, given_by}`."""

from typing import Any, Literal

from consent import Giver, SeparateConsents
from gateway.access.http.body import WireModel
from verification import find_question


class SeparateConsentOut(WireModel):
    """What was consented to separately (PIPL), and by whom: fields of a dataset, or a question."""

    dataset: str | None = None
    fields: list[str] | None = None
    question: str | None = None
    given_by: Literal["enterprise", "person"]


def serialize_separate_consents(given: SeparateConsents) -> list[dict[str, Any]]:
    """Separate consents as JSON, the fields of a dataset together, in the order of the consent."""
    of_fields: dict[tuple[str, Giver], list[str]] = {}
    questions = []
    for each in given:
        if find_question(each.item) is not None:
            questions.append({"question": each.item, "given_by": each.giver.value})
            continue
        dataset, _, field = each.item.rpartition(".")
        of_fields.setdefault((dataset, each.giver), []).append(field)
    return [
        {"dataset": dataset, "fields": fields, "given_by": giver.value}
        for (dataset, giver), fields in of_fields.items()
    ] + questions
