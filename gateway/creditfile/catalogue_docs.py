"""The catalogue as a page for readers: made from the document itself, so that it cannot say otherwise."""

from collections.abc import Iterator
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import ClockRules, DatasetOf, FieldOf, Publicity

_HEAD: Final = """\
# The catalogue of credit information 信用信息目录

Version {version}. Made by `make docs` from
[catalogue.yaml](../../gateway/creditfile/catalogue.yaml): change that, not this page.

A field's class says how far it may go: `public` to anybody, `authorised` to a client under the
enterprise's consent, `government` to no client, `never` to nobody (it may be compared in a question).
A field without a class is never served. Personal fields that are not public lie sealed; those of an
individual business are masked in public.

| dataset | | source | bad information | clock | fields |
|---|---|---|---|---|---|
"""
_TONES: Final = {"bad": "yes", "good": "no, good", "neutral": "no"}


def markdown_of(catalogue: Catalogue) -> str:
    """The whole page."""
    return "\n".join(_lines(catalogue)) + "\n"


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield _HEAD.format(version=catalogue.version).rstrip("\n")
    for each in catalogue.datasets:
        yield (
            f"| [`{each.code}`](#{each.code}) | {each.zh} {each.en} | `{each.source}` "
            f"| {_bad(each)} | `{each.clock}` | {len(each.fields)} |"
        )
    for each in catalogue.datasets:
        yield from _of_dataset(each)
    yield from ("", "## Clocks", "")
    yield "What ends the telling of a record, beside repair, withdrawal and its own dates, which"
    yield "always do. The earliest end counts."
    for name, rules in catalogue.clocks.items():
        yield from ("", f"### `{name}`", "")
        yield from (f"- {sentence}" for sentence in _of_clock(rules))
    yield from ("", "## Levels of the public rating", "", "、".join(catalogue.rating_levels))
    yield from ("", "## What no field may speak of (R3)", "")
    yield from (f"- {each.subject}: {'、'.join(each.words)}" for each in catalogue.forbidden)
    yield from (
        "",
        "Of a person, only under the enterprise's written consent, and never public:",
        "",
    )
    yield from (
        f"- {each.subject}: {'、'.join(each.words)}" for each in catalogue.only_with_consent
    )


def _of_dataset(dataset: DatasetOf) -> Iterator[str]:
    yield from ("", f'<a id="{dataset.code}"></a>', "", f"## {dataset.zh} `{dataset.code}`", "")
    key = " and ".join(f"`{name}`" for name in dataset.key)
    sentences = [f"{dataset.en}. Known again by {key}."]
    if dataset.purposes:
        sentences.append(f"Only for {', '.join(f'`{each}`' for each in dataset.purposes)}.")
    yield " ".join(sentences)
    yield from ("", "| field | 名称 | name | type | class | |", "|---|---|---|---|---|---|")
    for field in dataset.fields:
        yield (
            f"| `{field.name}`{' *' if field.required or field.name in dataset.key else ''} "
            f"| {field.zh} | {field.en} | {field.type} | {_class(field)} | {_said(field)} |"
        )


def _bad(dataset: DatasetOf) -> str:
    if dataset.bad_when is None:
        return _TONES[dataset.tone]
    return f"where `{dataset.bad_when.field}` is {'、'.join(dataset.bad_when.values)}"


def _class(field: FieldOf) -> str:
    name = field.disclosure.value if field.disclosure else "none"
    return f"{name}; public where `{field.public_when}`" if field.public_when else name


def _said(field: FieldOf) -> str:
    sentences = [field.description]
    if field.values:
        sentences.append(f"One of {'、'.join(field.values)}.")
    if field.personal:
        sentences.append("Personal.")
    return " ".join(sentences).replace("|", "\\|")


def _of_clock(rules: ClockRules) -> Iterator[str]:
    if rules == ClockRules():
        yield "Nothing else ends it."
    if rules.until_removed:
        yield "Told while it is on its list, whatever else has passed."
    if rules.retention_months is not None:
        yield f"Bad information is kept {rules.retention_months} months from its determination."
    if rules.publicity is not None:
        yield from _of_publicity(rules.publicity)
    if rules.exempt is not None:
        yield (
            f"Never counted as bad information (R1): procedure {'、'.join(rules.exempt.procedures)}; "
            f"under appeal; within {rules.exempt.appeal_days} days of the decision where no state of "
            "an appeal is known."
        )


def _of_publicity(rules: Publicity) -> Iterator[str]:
    yield f"Never shown: {'、'.join(rules.never_shown)} alone."
    yield (
        f"Shown {rules.short.months} months: {'、'.join(rules.short.kinds)}, or a fine of at most "
        f"{rules.short.fine_at_most} (10,000 yuan), with nothing graver beside it."
    )
    yield f"Shown {rules.months} months otherwise, or as long as {'、'.join(rules.bans)} lasts."
    by_severity = "; ".join(f"{s} {m} months" for s, m in rules.months_by_severity.items())
    yield f"By severity, where that is earlier: {by_severity}."
