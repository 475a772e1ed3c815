"""Page of the published rating schemes, as source of `docs/understand/rating-schemes.md`.

`python -m gateway.creditfile.catalogue.rating_schemes_page` prints it.
"""

import sys
from collections.abc import Iterator
from typing import Final

from gateway.creditfile.catalogue.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.rating_schemes import RatingEffect, RatingIndicator, RatingScheme

_HEAD: Final = """\
# Rating schemes 评价体系

Catalogue {version}. Made by `make docs` from
[catalogue.yaml](../../gateway/creditfile/catalogue/catalogue.yaml): change that, not this page.

What is behind a rating: levels, dimensions, indicators with the most points of each, the datasets that it
rests on, and the reason codes of points that it lacks, each with what to do. An indicator with a rule can be
computed from the records that are in force; for the others only the source knows the points. A delivered
rating carries `indicators`, a list of `{{"indicator": …, "points": …, "reason_codes": […]}}`, which intake
checks against its scheme; they are told to the enterprise alone
([why](../decisions/0070-what-is-behind-a-rating.md)). Figures of a scheme marked † are made up, as
configuration of the synthetic province.

目录版本 {version}。本页由目录生成，公布评价的等级、维度、指标、分值、所依据的信息，以及扣分的原因代码和建议。
标明规则的指标，可以按有效记录计算；其余指标的得分以评价单位提供的为准。指标得分只提供给企业本身。标†的评价
体系，其分值为合成省的配置，不是真实数据。
"""


def page_of(catalogue: Catalogue) -> str:
    """The whole page, in both languages."""
    return "\n".join(_lines(catalogue)) + "\n"


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield _HEAD.format(version=catalogue.version).rstrip("\n")
    for scheme in catalogue.rating_schemes:
        yield from _scheme(scheme, catalogue)


def _scheme(scheme: RatingScheme, catalogue: Catalogue) -> Iterator[str]:
    mark = " †" if scheme.synthetic else ""
    yield from ("", f"## {scheme.zh} {scheme.en}{mark}", "")
    of = "".join(f", `{name}` = {value}" for name, value in scheme.where.items())
    yield (
        f"`{scheme.code}`, version {scheme.version}, of `{scheme.dataset}`{of}. "
        f"{scheme.publisher.zh} {scheme.publisher.en}. {scheme.document}."
    )
    levels = (
        each.name if each.least is None else f"{each.name} ≥ {each.least}" for each in scheme.levels
    )
    yield from ("", f"等级 Levels: {'; '.join(levels)}.")
    if not scheme.indicators:
        yield from ("", "不公布指标。 It publishes no indicators.")
        return
    yield from ("", "| 维度 dimension | 指标 indicator | 最高分 most | 依据 rests on | 规则 rule |")
    yield "|---|---|---|---|---|"
    for dimension in scheme.dimensions:
        for each in scheme.of_dimension(dimension.code):
            datasets = "、".join(catalogue.dataset(code).zh for code in each.datasets)
            yield (
                f"| {dimension.zh} {dimension.en} | `{each.code}` {each.zh} {each.en} "
                f"| {each.points} | {datasets} | {_rule(each)} |"
            )
    yield from ("", "| 代码 code | 原因 reason | 怎么办 what to do |", "|---|---|---|")
    for indicator in scheme.indicators:
        for reason in indicator.reasons:
            yield (
                f"| `{indicator.code}` `{reason.code}` | {reason.zh}<br>{reason.en} "
                f"| {reason.to_do.zh}<br>{reason.to_do.en} |"
            )


def _rule(indicator: RatingIndicator) -> str:
    if indicator.base is None:
        return "; ".join(map(_effect, indicator.effects)) or "—"
    return "; ".join((str(indicator.base), *map(_effect, indicator.effects)))


def _effect(effect: RatingEffect) -> str:
    conditions = " and ".join(map(str, effect.when))
    reason = f" (`{effect.reason}`)" if effect.reason else ""
    sign = "−" if effect.reason else "+"
    points = sign if effect.points is None else f"{sign}{abs(effect.points)}"
    return f"{points} `{effect.dataset}`{f' {conditions}' if conditions else ''}{reason}"


if __name__ == "__main__":
    sys.stdout.write(page_of(load_catalogue()))
