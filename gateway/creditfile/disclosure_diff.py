"""Comparison of two catalogues: what the new one would disclose beyond the present one.

Changes that cannot be compared count as widening, and so does earlier deletion, which is irreversible.
Narrowing is not reported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import (
    ClockRules,
    Condition,
    DatasetDefinition,
    Exempt,
    FieldDefinition,
    Publicity,
    PublicityBySeverity,
    Subject,
    Term,
)
from gateway.creditfile.disclosure_class import DisclosureClass

_OPENNESS: Final = (None, *reversed(DisclosureClass))
"""Classes by how far a field may go; no class is never served."""
_CLOCK_COLUMNS: Final = frozenset(
    {
        "decided_on",
        "determined_on",
        "published_on",
        "publicity_ends_on",
        "removed_on",
        "severity",
        "valid_to",
        "period",
    }
)


def widenings(present: Catalogue, new: Catalogue) -> tuple[str, ...]:
    """Sentences on what `new` discloses beyond `present`, in the order of its datasets."""
    return (
        *_subject_changes("collected", present.forbidden, new.forbidden),
        *_subject_changes("public", present.only_with_consent, new.only_with_consent),
        *(
            sentence
            for dataset in new.datasets
            for sentence in _dataset_changes(dataset, present, new)
        ),
    )


def losses(present: Catalogue, new: Catalogue) -> tuple[str, ...]:
    """Datasets, fields and keys of `present` that `new` lacks or changes; records depend on them.

    A dataset or field that is no longer to be disclosed stays, without a class.
    """
    gone: list[str] = []
    for old in present.datasets:
        if old.code not in new.codes:
            gone.append(old.code)
            continue
        now = new.dataset(old.code)
        types = {field.name: field.type for field in now.fields}
        gone += [f"{old.code}.{f.name}" for f in old.fields if types.get(f.name) != f.type]
        if now.key != old.key:
            gone.append(f"the key of {old.code}")
    return tuple(gone)


def _dataset_changes(
    dataset: DatasetDefinition, present: Catalogue, new: Catalogue
) -> Iterator[str]:
    code = dataset.code
    if code not in present.codes:
        if any(_openness(field) > 0 for field in dataset.fields):
            yield f"{code}: a new dataset"
        return
    old = present.dataset(code)
    yield from _purpose_changes(old, dataset)
    if old.tone == "bad" != dataset.tone:
        yield f"{code}: no longer bad information, so that no retention ends it"
    if old.bad_when is not None and not _still_bad(old, dataset):
        yield f"{code}: fewer values make it bad information"
    if new.rules_of(code).retention_months is not None and _more_is_bad(old, dataset):
        yield f"{code}: more of it is bad information, which retention deletes"
    old_fields = {field.name: field for field in old.fields}
    for field in dataset.fields:
        yield from (
            f"{code}.{field.name}: {what}"
            for what in _field_changes(old_fields.get(field.name), field)
        )
    if _clock_fields(old) != _clock_fields(dataset):
        yield f"{code}: other fields drive its clock"
    rules = present.rules_of(code), new.rules_of(code)
    yield from (f"{code}: {what}" for what in _clock_changes(*rules))


def _purpose_changes(old: DatasetDefinition, new: DatasetDefinition) -> Iterator[str]:
    if old.purposes and not new.purposes:
        yield f"{new.code}: served for every purpose"
    elif more := set(new.purposes) - set(old.purposes) if old.purposes else set():
        yield f"{new.code}: served for {', '.join(sorted(more))}"


def _still_bad(old: DatasetDefinition, new: DatasetDefinition) -> bool:
    if old.bad_when is None or new.tone == "bad":
        return True
    now = new.bad_when
    return (
        now is not None
        and now.field == old.bad_when.field
        and set(now.values) >= set(old.bad_when.values)
    )


def _more_is_bad(old: DatasetDefinition, new: DatasetDefinition) -> bool:
    if old.tone == "bad":
        return False
    if new.tone == "bad":
        return True
    return new.bad_when is not None and not _still_bad(new, old)


def _field_changes(old: FieldDefinition | None, new: FieldDefinition) -> Iterator[str]:
    before = 0 if old is None else _openness(old)
    if _openness(new) > before:
        was = "not served" if old is None or old.disclosure is None else old.disclosure.value
        yield f"class {new.disclosure.value if new.disclosure else '-'}, was {was}"
    when = new.public_when
    before_when = None if old is None else old.public_when
    if when is not None and _openness(new) and _holds_more(before_when, when):
        yield f"public where {when}"
    if old is not None:
        yield from _personal_changes(old, new)
    if old is not None and old.type == "free_text" != new.type:
        yield "no longer free text: not searched for personal numbers"


def _personal_changes(old: FieldDefinition, new: FieldDefinition) -> Iterator[str]:
    if old.personal and not new.personal:
        yield "no longer personal: neither masked nor sealed"
    if old.masked and not new.masked:
        yield "no longer masked in public"
    if new.unmasked_when is not None and _holds_more(old.unmasked_when, new.unmasked_when):
        yield f"not masked where {new.unmasked_when}"
    if old.individual_business is not None:
        own, now = old.of_individual_business, new.of_individual_business
        when = now.public_when
        if _openness(now) > _openness(own) or (when and _holds_more(own.public_when, when)):
            yield "told more of individual businesses"


def _holds_more(old: Condition | None, new: Condition) -> bool:
    """True where the new condition can hold for a record for which the old one does not."""
    return old is None or old.field != new.field or _lost(new.values, old.values)


def _openness(field: FieldDefinition) -> int:
    return _OPENNESS.index(field.disclosure)


def _clock_fields(dataset: DatasetDefinition) -> Mapping[str, str]:
    return {c: name for c, name in dataset.field_of.items() if c in _CLOCK_COLUMNS}


def _clock_changes(old: ClockRules, new: ClockRules) -> Iterator[str]:
    if new.until_removed and not old.until_removed:
        yield "told for as long as it is listed"
    if _longer(old.retention_months, new.retention_months):
        yield "kept longer"
    if _longer(new.retention_months, old.retention_months):
        yield "kept for a shorter time, and deleted then"
    if old.until_removed and not new.until_removed and new.retention_months is not None:
        yield "deleted although it may still be listed"
    if old.term is not None:
        yield from _term_changes(old.term, new.term)
    if old.ends_with is not None and new.ends_with != old.ends_with:
        yield "does not end with the record that it led to"
    if old.until_valid_to and not new.until_valid_to:
        yield "told beyond its validity"
    if old.latest_of is not None and (
        new.latest_of is None or not set(new.latest_of) <= set(old.latest_of)
    ):
        yield "told beside a later one"
    yield from _publicity_rules_changes(old, new)
    if old.exempt is not None:
        yield from _exemption_changes(old.exempt, new.exempt)


def _term_changes(old: Term, new: Term | None) -> Iterator[str]:
    if new is None:
        yield "no term ends it"
    elif (
        new.months > old.months
        or new.starts != old.starts
        or new.extension_at_most > old.extension_at_most
        or new.extension not in (None, old.extension)
        or (new.only_bad and not old.only_bad)
    ):
        yield "its term ends it later"


def _publicity_rules_changes(old: ClockRules, new: ClockRules) -> Iterator[str]:
    """Changes of the two publicity rules; between different rules there is no comparison."""
    before, after = old.publicity_by_severity, new.publicity_by_severity
    if (before is None) != (after is None) and (old.publicity or before):
        yield "its publicity goes by another rule"
        return
    if before is not None and after is not None:
        yield from _severity_changes(before, after)
    if old.publicity is not None:
        if new.publicity is None:
            yield "no rule ends its publicity"
        else:
            yield from _publicity_changes(old.publicity, new.publicity)


def _severity_changes(old: PublicityBySeverity, new: PublicityBySeverity) -> Iterator[str]:
    minor, now = old.minor, new.minor
    shown = (
        (new.in_force != old.in_force, "its publicity goes by severity from another day"),
        (
            any(_longer(months, new.months.get(name)) for name, months in old.months.items()),
            "a severity is shown longer",
        ),
        (
            (now.severity, new.ordinary, new.serious.severity)
            != (minor.severity, old.ordinary, old.serious.severity),
            "severities have other names",
        ),
        (
            _lost(minor.procedures, now.procedures)
            or _lost(minor.kinds, now.kinds)
            or now.fine != minor.fine
            or now.fine_at_most < minor.fine_at_most
            or now.person_fine_at_most < minor.person_fine_at_most,
            "fewer penalties are minor",
        ),
        (
            now.published_if != minor.published_if
            or _lost(now.published_under, minor.published_under),
            "more minor penalties are shown",
        ),
        (
            _lost(new.serious.kinds, old.serious.kinds)
            or _longer(new.serious.fine_from, old.serious.fine_from),
            "more penalties are serious",
        ),
        (
            _lost(new.unfulfilled_continue, old.unfulfilled_continue),
            "more authorities show theirs until they are fulfilled",
        ),
    )
    yield from (sentence for wider, sentence in shown if wider)


def _publicity_changes(old: Publicity, new: Publicity) -> Iterator[str]:
    shown = (
        (_lost(old.never_shown, new.never_shown), "kinds are shown that never were"),
        (_lost(old.short.kinds, new.short.kinds), "fewer kinds are shown for a short time only"),
        (_lost(new.bans, old.bans), "more bans prolong it"),
        (
            _lost(old.harmless_beside_a_fine, new.harmless_beside_a_fine),
            "fewer kinds stand beside a low fine",
        ),
        (new.short.fine_at_most < old.short.fine_at_most, "fewer fines count as low"),
        (new.short.months > old.short.months, "a light penalty is shown longer"),
        (new.months > old.months, "shown longer"),
    )
    yield from (sentence for wider, sentence in shown if wider)
    for severity, months in old.months_by_severity.items():
        if _longer(months, new.months_by_severity.get(severity)):
            yield f"shown longer where {severity}"


def _exemption_changes(old: Exempt, new: Exempt | None) -> Iterator[str]:
    if new is None:
        yield "nothing is exempt from counting as bad information"
        return
    if (
        _lost(old.procedures, new.procedures)
        or _lost(old.under_appeal, new.under_appeal)
        or _lost(new.no_appeal_any_more, old.no_appeal_any_more)
        or (old.appeal_days or 0) > (new.appeal_days or 0)
    ):
        yield "less is exempt from counting as bad information"


def _subject_changes(what: str, old: Sequence[Subject], new: Sequence[Subject]) -> Iterator[str]:
    words = {each.subject: set(each.words) for each in new}
    for each in old:
        if set(each.words) - words.get(each.subject, set()):
            yield f"{each.subject}: fields that speak of it can be {what}"


def _longer(old: float | Decimal | None, new: float | Decimal | None) -> bool:
    """True if a term became longer; `None` never ends."""
    return old is not None and (new is None or new > old)


def _lost(old: Iterable[Any], new: Iterable[Any]) -> bool:
    return bool(set(old) - set(new))
