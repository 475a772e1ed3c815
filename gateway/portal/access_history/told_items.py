"""Items of an access history entry with their outcomes: answers to questions, records by dataset. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.disclosure.items import DisclosedItem
from gateway.pages.i18n import Translated
from gateway.portal import labels
from gateway.portal.access_history.entries import AccessEntry
from gateway.portal.question_labels import ANSWERS, asked_label
from verification import find_question

WITHHELD: Final[Mapping[str, Translated]] = {
    "not_in_agreement": Translated(
        "超出约定的使用范围，未提供", "not provided: outside its agreement"
    ),
    "not_in_consent": Translated("不在授权范围内，未提供", "not provided: outside your consent"),
    "not_for_purpose": Translated("不适用于该用途，未提供", "not provided for this purpose"),
    "source_unavailable": Translated("来源暂不可用", "its source was unavailable"),
}
UNANSWERED: Final[Mapping[str, Translated]] = {
    "not_in_consent": Translated(
        "没有您对这一项的有效同意，未作答", "not answered: without your consent in force"
    ),
    "not_in_agreement": Translated(
        "超出约定的使用范围，未作答", "not answered: outside its agreement"
    ),
}
PUBLIC: Final = Translated(
    "依据公开信息，不需要授权。", "From public information; no consent is needed."
)
NOT_PROVIDED: Final = Translated("未提供", "not provided")
NO_RECORD: Final = Translated("未查询到", "none found")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldItem:
    """A question or dataset as asked, with its outcome if one was recorded, and the records told."""

    name: Translated
    outcome: Translated | None = None
    tone: str = ""
    """CSS class of the outcome."""
    records: Sequence[str] = ()
    from_public: bool = False
    """True for an answer that needs no consent."""


def told_items(
    entry: AccessEntry, catalogue: Catalogue, datasets: Mapping[str, str]
) -> list[ToldItem]:
    """The items of one entry; `datasets` are those of the records that are still in the file."""
    if entry.items is None:
        return [ToldItem(name=labels.item_name(each, catalogue)) for each in entry.asked]
    by_dataset: dict[str, list[str]] = {}
    for record_id, _ in entry.relied_on:
        by_dataset.setdefault(datasets.get(record_id, ""), []).append(record_id)
    return [_item(DisclosedItem.from_json(each), catalogue, by_dataset) for each in entry.items]


def _item(
    item: DisclosedItem, catalogue: Catalogue, by_dataset: Mapping[str, Sequence[str]]
) -> ToldItem:
    question = find_question(item.code)
    if question is not None and item.answer is not None:
        unanswered = UNANSWERED.get(item.withheld or "")
        return ToldItem(
            name=asked_label(question, catalogue, item.value),
            outcome=unanswered or ANSWERS[item.answer],
            tone="no" if unanswered else item.answer,
            from_public=unanswered is None and not question.needs_consent,
        )
    name = labels.item_name(item.code, catalogue)
    if item.withheld is not None:
        return ToldItem(name=name, outcome=WITHHELD.get(item.withheld, NOT_PROVIDED))
    count = item.records or 0
    number = Translated(f"{count} 条", f"{count} record{'' if count == 1 else 's'}")
    return ToldItem(
        name=name,
        outcome=number if count else NO_RECORD,
        tone="yes" if count else "",
        records=by_dataset.get(item.code, ()),
    )
