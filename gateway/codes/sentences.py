"""Plain sentences of the public page: one about each record, and the status line above them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any, Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.labels import dataset_label, field_value, headline, value_label
from gateway.pages.i18n import Translated

Icon = Literal["alert", "notice", "unknown", "ended", "ok"]
MAX_VALUE: Final = 60
"""Maximum characters of a value in a sentence; the record below has it whole."""
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_CLOSED: Final = {
    "revoked_not_deregistered": Translated("企业已被吊销营业执照", "Business licence revoked"),
    "revoked_deregistered": Translated(
        "企业已被吊销营业执照并注销", "Licence revoked and deregistered"
    ),
    "deregistered": Translated("企业已注销", "Enterprise deregistered"),
    "annulled": Translated("企业登记已被撤销", "Registration annulled"),
    "moved_out": Translated("企业已迁出本省", "Moved out of the province"),
}
"""Registration states in which no business is done here."""
_INCOMPLETE: Final = Translated("部分来源暂不可用", "Some sources are unavailable")
_NOTHING: Final = Translated("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status line: what the page has found, with an icon that says as much."""

    icon: Icon
    text: Translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Counts of a page's datasets, for its status line."""

    registration_status: str
    bad: Sequence[str] = ()
    """The dataset of each bad record, the gravest first."""
    notices: Sequence[str] = ()
    """The dataset of each other record that is a warning."""
    is_complete: bool = True
    """False if a source is unavailable."""


def status_line(found: Found, catalogue: Catalogue, kind: str, moment: str) -> Status:
    """The status line of a page at `moment`, as it is shown. An empty result is worded by R6."""
    parts = [*_state(found.registration_status)]
    counted = _counted(found, catalogue, kind)
    is_closed = found.registration_status in _CLOSED
    if counted is not None:
        parts.append(counted)
    if not found.is_complete:
        parts.append(_INCOMPLETE)
    if counted is None and not is_closed:
        others = Translated("其余来源", "in the others, ") if not found.is_complete else _NOTHING
        begun = "as" if parts else "As"
        parts.append(
            Translated(
                f"{others.zh}截至 {moment} 未查询到在公示期内的不良记录",
                f"{others.en}{begun} of {moment}, no negative record within its publicity period was found",
            )
        )
    return Status(icon=_icon(found), text=reduce(_joined, parts))


def _state(registration_status: str) -> list[Translated]:
    """The registration state, where it is another than active."""
    if registration_status == "active":
        return []
    return [_CLOSED.get(registration_status) or value_label(registration_status)]


def _icon(found: Found) -> Icon:
    if found.registration_status in _CLOSED:
        return "ended"
    if found.bad:
        return "alert"
    if found.notices:
        return "notice"
    if not found.is_complete:
        return "unknown"
    return "ok" if found.registration_status == "active" else "notice"


def record_sentence(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue, kind: str = ""
) -> Translated:
    """The catalogue's sentence about a record, or its headline where the first part has no value."""
    sentence = catalogue.dataset(dataset).sentence_for(kind)
    wanted = sentence.fields if sentence else ()
    values = {
        name: field_value(dataset, name, fields, catalogue)
        for name in wanted
        if fields.get(name) not in (None, "", [])
    }
    if sentence is None or not _can_fill(sentence.zh[0], values):
        parts = headline(dataset, fields, catalogue, kind)
        parts = parts or [dataset_label(dataset, catalogue, kind)]
        return Translated(" · ".join(p.zh for p in parts), " · ".join(p.en for p in parts))
    zh = {name: _short(value.zh) for name, value in values.items()}
    en = {name: _short(value.en) for name, value in values.items()}
    return Translated(_filled(sentence.zh, zh), _filled(sentence.en, en))


def _counted(found: Found, catalogue: Catalogue, kind: str) -> Translated | None:
    """The number of bad records, or else of notices, with the names of their datasets."""
    datasets = found.bad or found.notices
    if not datasets:
        return None
    count = len(datasets)
    first, *others = (dataset_label(each, catalogue, kind) for each in Counter(datasets))
    named_zh, named_en = first.zh + ("等" if others else ""), first.en + ("…" if others else "")
    if not found.bad:
        return Translated(
            f"有 {count} 条需要留意的信息（{named_zh}）",
            f"{count} point{'s' if count > 1 else ''} to note ({named_en})",
        )
    if not others and catalogue.dataset(datasets[0]).tone == "bad":
        return Translated(
            f"有 {count} 条{first.zh}记录", f"{count} record{'s' if count > 1 else ''}: {first.en}"
        )
    return Translated(
        f"有 {count} 条不良记录（{named_zh}）",
        f"{count} negative record{'s' if count > 1 else ''} ({named_en})",
    )


def _joined(first: Translated, second: Translated) -> Translated:
    return Translated(f"{first.zh}；{second.zh}", f"{first.en}; {second.en}")


def _filled(parts: Sequence[str], values: Mapping[str, str]) -> str:
    kept = (_pieces(part) for part in parts if _can_fill(part, values))
    return "".join(
        values[piece] if at % 2 else piece for pieces in kept for at, piece in enumerate(pieces)
    ).strip()


def _can_fill(part: str, values: Mapping[str, Any]) -> bool:
    """True if every field in a part of a sentence has a value."""
    return all(name in values for name in _pieces(part)[1::2])


@lru_cache(maxsize=1_024)
def _pieces(part: str) -> tuple[str, ...]:
    """Words and names of fields, in turns, of a part of a catalogue's sentence."""
    return tuple(_PLACEHOLDER.split(part))


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
