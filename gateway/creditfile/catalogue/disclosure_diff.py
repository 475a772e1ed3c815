"""Comparison of two catalogues: what the new one would disclose beyond the present one.

Changes that cannot be compared count as widening, and so does earlier deletion, which is irreversible.
Narrowing is not reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.creditfile.catalogue.catalogue import Catalogue
from gateway.creditfile.catalogue.clock_diff import clock_widenings, has_lost
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.parts import Condition
from gateway.creditfile.catalogue.sensitive_subjects import Subject
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
    """Datasets, fields, keys and rating schemes of `present` that `new` lacks or changes.

    Records depend on them.

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
    schemes = {(each.code, each.version): each for each in new.rating_schemes}
    gone += [
        f"rating scheme {each.code} {each.version}"
        for each in present.rating_schemes
        if schemes.get((each.code, each.version)) != each
    ]
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
    yield from (f"{code}: {what}" for what in clock_widenings(*rules))


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
    yield from _separate_consent_changes(old, new)
    if old.individual_business is not None:
        own, now = old.of_individual_business, new.of_individual_business
        when = now.public_when
        if _openness(now) > _openness(own) or (when and _holds_more(own.public_when, when)):
            yield "told more of individual businesses"


def _separate_consent_changes(old: FieldDefinition, new: FieldDefinition) -> Iterator[str]:
    """A separate consent that is dropped, or no longer the person's own."""
    strictness = (None, "enterprise", "person")
    of_both = (old, new), (old.of_individual_business, new.of_individual_business)
    before_and_now = [tuple(strictness.index(e.separate_consent) for e in each) for each in of_both]
    if any(now < before for before, now in before_and_now):
        yield "told with less of a separate consent"


def _holds_more(old: Condition | None, new: Condition) -> bool:
    """True where the new condition can hold for a record for which the old one does not."""
    return old is None or old.field != new.field or has_lost(new.values, old.values)


def _openness(field: FieldDefinition) -> int:
    return _OPENNESS.index(field.disclosure)


def _clock_fields(dataset: DatasetDefinition) -> Mapping[str, str]:
    return {c: name for c, name in dataset.field_of.items() if c in _CLOCK_COLUMNS}


def _subject_changes(what: str, old: Sequence[Subject], new: Sequence[Subject]) -> Iterator[str]:
    words = {each.subject: set(each.words) for each in new}
    for each in old:
        if set(each.words) - words.get(each.subject, set()):
            yield f"{each.subject}: fields that speak of it can be {what}"
