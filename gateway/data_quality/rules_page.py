"""Markdown page of the rules of data quality, printed by `python -m gateway.data_quality.rules_page`."""

import sys
from collections.abc import Iterator
from typing import Final

from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.data_quality.rules import DatasetRules, QualityRules, published_rules

_HEAD: Final = """\
# Rules of data quality 数据质量计分规则

Made by `make docs` from [rules.yaml](../../gateway/data_quality/rules.yaml): change that, not this page.
How the scores are used: [data quality](../operate/data-quality.md). † marks figures that are this
project's own or come from secondary sources.

本页由 `make docs` 生成。得分如何使用见[数据质量](../zh/operate/data-quality.md)。
带 † 的为本项目自定或者来自二手资料，启用前请核对现行规定。

"""


def markdown(rules: QualityRules, catalogue: Catalogue) -> str:
    """The whole page."""
    return _HEAD + "\n".join((*_score(rules), "", *_datasets(rules, catalogue))) + "\n"


def _score(rules: QualityRules) -> Iterator[str]:
    weights = rules.weights
    yield f"Version 版本 {rules.version}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| timely 及时 † | {weights.timely} % |"
    yield f"| complete 完整 † | {weights.complete} % |"
    yield f"| right 准确 † | {weights.right} % |"
    levels = ", ".join(f"{each.en} {each.zh} ≥ {each.least}" for each in rules.levels)
    yield f"| levels 等次 † | {levels} |"
    yield f"| never late, as stock, before 存量数据不计超期，早于 | {rules.counts_from} |"
    yield f"| least enterprises of a published count 公布数字的最少户数 | {rules.least_enterprises} |"


def _datasets(rules: QualityRules, catalogue: Catalogue) -> Iterator[str]:
    yield "| dataset 数据集 | working days 工作日 | source 依据 | recommended fields 应填项 |"
    yield "|---|---:|---|---|"
    for dataset in catalogue.datasets:
        if (own := rules.datasets.get(dataset.code)) is not None:
            fields = [dataset.field_by_name[name] for name in own.recommended]
            named = "、".join(f"{each.zh} `{each.name}`" for each in fields)
            yield f"| `{dataset.code}` {dataset.zh} {dataset.en} | {_term(own)} | {named} |"


def _term(rules: DatasetRules) -> str:
    return f"{rules.days or '–'} | {rules.law or ''}"


if __name__ == "__main__":
    sys.stdout.write(markdown(published_rules(), load_catalogue()))
