"""Generator of a synthetic province, reproducible from seed and day, in constant memory.

Each enterprise has its own random stream: the first hundred are the same at any province size.
"""

# ruff: noqa: PLR2004  # the shares are data

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import INDIVIDUAL_BUSINESS
from gateway.synthetic.generator import negative_records, positive_records, structure_records
from gateway.synthetic.generator.company_names import make_company_name
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.divisions import BY_CODE, pick_division
from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.generator.people import make_person
from gateway.synthetic.generator.scenarios import (
    FIRST_TRAITS,
    TRAIT_DIVISIONS,
    TRAIT_KINDS,
    TRAITS,
    Trait,
    rename,
)
from gateway.synthetic.generator.seeded_random import SeededRandom
from gateway.synthetic.generator.uscc_generator import make_uscc

_KINDS: Final = ("individual_business", "firm", "farmers_cooperative")
_KIND_WEIGHTS: Final = (59, 99, 100)
_LICENCES: Final = tuple(accumulate((46, 25, 14, 8, 4, 3)))
_FIRST_NAME: Final = "杭州云栖数据科技有限公司"
_FIRST_DIVISION: Final = BY_CODE["330106"]
_RARE_RECORDS: Final[tuple[tuple[float, Trait], ...]] = (
    (0.02, positive_records.add_honour),
    (0.05, lambda builder: positive_records.add_industry_rating(builder, published=True)),
    (0.03, lambda builder: positive_records.add_industry_rating(builder, published=False)),
    (0.01, positive_records.add_third_party_rating),
    (0.015, positive_records.add_pledge),
    (0.01, negative_records.add_alert),
)
_OF_ALL: Final[tuple[tuple[float, Trait], ...]] = (
    (0.05, structure_records.add_change),
    (0.005, structure_records.add_complaints),
    (0.004, structure_records.add_incentive),
    (0.005, negative_records.add_judgment_case),
    (0.002, negative_records.add_tax_arrears),
)
_OF_FIRMS: Final[tuple[tuple[float, Trait], ...]] = (
    (0.25, structure_records.add_shareholders),
    (0.2, structure_records.add_key_persons),
    (0.04, structure_records.add_branch),
    (0.3, structure_records.add_tax_level),
    (0.04, structure_records.add_customs_level),
    (0.1, structure_records.add_comprehensive_rating),
    (0.02, structure_records.add_contract),
    (0.002, negative_records.add_equity_freeze),
    (0.002, negative_records.add_liquidation),
)
_NEGATIVE_SHARES: Final = (
    (0.05, "abnormal"),
    (0.015, "penalised"),
    (0.0008, "serious_violation"),
    (0.0008, "untrustworthy"),
    (0.007, "judgment_defaulter"),
    (0.02, "penalty_expired"),
    (0.003, "repaired"),
    (0.001, "withdrawn"),
    (0.0005, "disputed"),
    (0.004, "warning_only"),
    (0.005, "simplified_procedure"),
    (0.03, "deregistered"),
    (0.005, "suspended"),
    (0.01, "revoked"),
)
_STREETS: Final = ("合成路", "虚构街", "样例大道", "示范路", "演示巷")


def province(
    seed: int, n: int, *, today: date, catalogue: Catalogue, first: int = 0
) -> Iterator[SyntheticEnterprise]:
    """Enterprises `first` to `n` of the province of `seed`, as of `today`."""
    for index in range(first, n):
        yield _make_enterprise(seed, index, today, catalogue)


def _make_enterprise(
    seed: int, index: int, today: date, catalogue: Catalogue
) -> SyntheticEnterprise:
    trait = FIRST_TRAITS[index] if index < len(FIRST_TRAITS) else None
    builder = _new_builder(seed, index, trait, today, catalogue)
    if index == 0:
        rename(builder, _FIRST_NAME, "I6513")
    if trait is None:
        _add_positive_records(builder)
        _add_negative_traits(builder)
    else:
        _apply_trait(builder, trait)
    if builder.kind == "individual_business":
        builder.traits.add("individual_business")
    if builder.kind == "farmers_cooperative":
        builder.traits.add("cooperative")
    return builder.build()


def _new_builder(
    seed: int, index: int, trait: str | None, today: date, catalogue: Catalogue
) -> EnterpriseBuilder:
    rng = SeededRandom(f"{seed}/{index}")
    any_kind = rng.choices(_KINDS, cum_weights=_KIND_WEIGHTS)[0]
    kind = any_kind if trait is None else TRAIT_KINDS.get(trait, "firm")
    division = pick_division(rng)
    if index == 0:
        division = _FIRST_DIVISION
    elif trait is not None:
        division = TRAIT_DIVISIONS.get(trait, division)
    company_name, person = make_company_name(rng, kind, division), make_person(rng, division, today)
    street, house = rng.choice(_STREETS), rng.randint(1, 998)
    return EnterpriseBuilder(
        rng=rng,
        today=today,
        catalogue=catalogue,
        uscc=make_uscc(index, seed, kind, division.code),
        kind=kind,
        division=division,
        company_name=company_name,
        person=person,
        name=company_name.name,
        legal_representative=person.name,
        established_on=_established_on(rng, today, young=trait is None),
        address=f"{division.full_name}{street}{house}号{rng.randint(101, 998)}室",
    )


def _established_on(rng: random.Random, today: date, *, young: bool) -> date:
    """Exponentially distributed age; enterprises with a trait are at least 1,200 days old."""
    days = int(rng.expovariate(1 / 2200)) + 240
    return today - timedelta(days=min(days, 12_000) if young else 1200 + min(days, 8_000))


def _apply_trait(builder: EnterpriseBuilder, trait: str) -> None:
    TRAITS[trait](builder)
    if trait != "clean":
        positive_records.add_licence(builder)
        positive_records.add_rating(builder, builder.rng.randint(560, 840))
        late = builder.rng.randint(1, 12)
        positive_records.add_payments(builder, "social_insurance", months=max(late, 6), late=late)
        positive_records.add_commitment(builder)
    builder.traits.add(trait)


def _add_licences(builder: EnterpriseBuilder) -> None:
    rng = builder.rng
    licences = rng.choices(range(1, 7), cum_weights=_LICENCES)[0]
    if rng.random() < 0.002:
        licences = min(int(rng.paretovariate(0.9) * 10), 300)
    if positive_records.add_required_licence(builder):
        licences -= 1
    for _ in range(licences):
        positive_records.add_licence(builder, valid=rng.random() < 0.85)


def _add_positive_records(builder: EnterpriseBuilder) -> None:
    rng, is_firm = builder.rng, builder.kind == "firm"
    _add_licences(builder)
    if rng.random() < (0.9 if is_firm else 0.3):
        positive_records.add_rating(builder, min(990, max(300, int(rng.gauss(740, 90)))))
    if rng.random() < 0.3:
        positive_records.add_commitment(
            builder,
            rng.choices(("fulfilled", "in_progress", "broken"), cum_weights=(80, 97, 100))[0],
        )
    if rng.random() < 0.2:
        positive_records.add_inspection(builder)
    if is_firm and rng.random() < 0.6:
        positive_records.add_annual_report(builder, published=rng.random() < 0.2)
    if builder.kind == INDIVIDUAL_BUSINESS and rng.random() < 0.1:
        positive_records.add_annual_report(builder, published=rng.random() < 0.5)
    if is_firm and rng.random() < 0.15:
        late = rng.randint(1, 24) if rng.random() < 0.15 else None
        months = positive_records.TWO_YEARS if late and late > 12 else 12
        positive_records.add_payments(builder, "social_insurance", months=months, late=late)
    for share, add in _RARE_RECORDS:
        if rng.random() < share:
            add(builder)
    _add_structure(builder)


def _add_structure(builder: EnterpriseBuilder) -> None:
    for share, add in _OF_ALL if builder.kind != "firm" else (*_OF_ALL, *_OF_FIRMS):
        if builder.rng.random() < share:
            add(builder)
    if structure_records.is_sampled(builder):
        failed = builder.rng.random() < 0.05
        structure_records.add_sampling(builder, "不合格" if failed else "合格")


def _add_negative_traits(builder: EnterpriseBuilder) -> None:
    for share, trait in _NEGATIVE_SHARES:
        if builder.rng.random() < share:
            TRAITS[trait](builder)
            builder.traits.add(trait)
