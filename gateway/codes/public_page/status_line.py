"""Status line of the public page: what was found, in one plain sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.labels import dataset_label, value_label
from gateway.pages.i18n import Translated

Icon = Literal["alert", "notice", "unknown", "ended", "ok"]
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
