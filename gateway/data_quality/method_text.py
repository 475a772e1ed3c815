"""The bulletin's own account of how it was made: score, parts, suppression."""

from typing import Final

from gateway.data_quality.month import Month
from gateway.data_quality.rules import QualityRules
from gateway.pages.i18n import Translated

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def month_name(month: Month) -> Translated:
    """The month in words."""
    return Translated(f"{month.year}年{month.month}月", f"{_MONTHS[month.month - 1]} {month.year}")


def method_text(rules: QualityRules) -> tuple[Translated, ...]:
    """Paragraphs on the method."""
    return _score(rules), _parts(rules), _suppression(rules)


def _score(rules: QualityRules) -> Translated:
    weights, *named = rules.weights, *(each for each in rules.levels if each.least)
    last = rules.levels[-1]
    levels_zh = "，".join(f"{each.least}分及以上为{each.zh}" for each in named)
    levels_en = ", ".join(f"{each.en} from {each.least}" for each in named)
    return Translated(
        f"得分＝及时×{weights.timely}%＋完整×{weights.complete}%＋准确×{weights.right}%；"
        f"当月没有可评内容的项不计，由其余项按比例分摊。{levels_zh}，其余为{last.zh}。",
        f"Score = timely × {weights.timely} % + complete × {weights.complete} % + right × "
        f"{weights.right} %. Where a month has nothing to judge of one, the others weigh more. "
        f"Levels: {levels_en}, else {last.en}.",
    )


def _parts(rules: QualityRules) -> Translated:
    day = rules.counts_from
    return Translated(
        "及时：在规定工作日内首次收到的记录占比，"
        f"{day.year}年{day.month}月{day.day}日以前产生的存量数据不计。完整：应填项的填报率。"
        "准确：没有代码校验位有误、公示截止期有误、异议成立、比对缺失等差错的记录占比；"
        "自行更正不扣分，比对不一致的核实前不扣分。",
        "Timely: the share of records first received within the working days of their dataset; those of "
        f"before {day} are stock, and are not counted. Complete: the share of recommended fields that are "
        "filled. Right: the share of records without a wrong check character, a wrong end of publicity, an "
        "upheld objection, or a comparison in which they were absent; what a source corrects by itself "
        "costs it nothing, nor does a difference before it has been checked.",
    )


def _suppression(rules: QualityRules) -> Translated:
    least = rules.least_enterprises
    return Translated(
        f"为保护经营主体，记录涉及不足{least}户的数据集不公布；某项差错涉及不足{least}户的，按没有这项差错计，"
        f"没有这项差错的不足{least}户的，按全部都有计。得分和合计一律由公布的数字算出，不能据以反推。"
        "各数源单位可通过接口查询本单位的准确数字。",
        f"To protect enterprises, datasets with records of fewer than {least} are not published; a fault "
        "that concerns fewer counts as none, and one that spares fewer as one of all. Scores and sums are "
        "computed from the published figures, so that no difference undoes this. Each source reads its own "
        "exact figures over the interface.",
    )
