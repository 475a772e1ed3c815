"""Domain rules R1–R17 end to end: by query, verification and public page.

Each rule has a case in which a record is disclosed and one in which it is not.
"""

import json
from datetime import timedelta
from typing import Any

import pytest

from gateway.clients.registration import Registration, RegistrationError
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, CatalogueError, load_catalogue
from gateway.creditfile.local_dates import day_of, midnight
from gateway.ingest import RowWarning, Source, ingest_rows
from gateway.synthetic.generator.scenarios import TRAITS
from tests.client_builders import make_filing, make_set
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCE = Source(source_id="rules", name="行政执法部门（合成数据）")
UNSHOWN = ["warning_only", "simplified_procedure", "under_appeal"]


async def page(gateway: GatewayFixture, trait: str) -> dict[str, Any]:
    """Public page of a subject, as JSON."""
    address = gateway.subject(trait)["code_url"].removeprefix(gateway.issuer)
    answer = await gateway.http.get(address, headers={"Accept": "application/json"})
    found: dict[str, Any] = answer.json()
    return found


def section(page: dict[str, Any], dataset: str) -> dict[str, Any]:
    return next(each for each in page["datasets"] if each["dataset"] == dataset)


async def deliver(gateway: GatewayFixture, uscc: str, dataset: str, **fields: Any) -> Any:
    """Deliver one row of a department."""
    async with gateway.runtime.engine.begin() as connection:
        (outcome,) = await ingest_rows(
            connection,
            SOURCE,
            dataset,
            [{"uscc": uscc, **fields}],
            now=gateway.clock(),
            catalogue=gateway.runtime.catalogue,
            vault=gateway.runtime.vault,
        )
    return outcome


def new_enterprise(gateway: GatewayFixture) -> str:
    """A new enterprise, since delivered records stay."""
    return next(e for e in reversed(gateway.entities) if not e.traits & set(TRAITS)).uscc


async def told_everywhere(gateway: GatewayFixture, trait: str) -> tuple[int, str, int]:
    """Penalties in a query, answer to a question, penalties on the page."""
    bank, uscc = await gateway.client(), gateway.subject(trait)["uscc"]
    await gateway.grant(bank, uscc, datasets=["penalty"])
    records = (await bank.query(uscc, "penalty")).json()["records"]
    [answer] = await bank.answers(uscc, "no_live_penalty.v1")
    return len(records), answer, len(section(await page(gateway, trait), "penalty")["records"])


@pytest.mark.parametrize("trait", UNSHOWN)
async def test_r1_excluded_penalties_are_disclosed_on_no_channel(
    gateway: GatewayFixture, trait: str
) -> None:
    """Warnings alone, the simplified procedure, penalties under appeal."""
    assert await told_everywhere(gateway, trait) == (0, "yes", 0)


async def test_r1_an_ordinary_penalty_is_disclosed_on_every_channel(
    gateway: GatewayFixture,
) -> None:
    """Control for the test above."""
    assert await told_everywhere(gateway, "penalised") == (1, "no", 1)


async def test_r2_a_wrong_end_is_reported_and_shortens_at_most(gateway: GatewayFixture) -> None:
    """The source says ten years, the rules three months; disclosure ends after three months."""
    uscc, today = new_enterprise(gateway), day_of(gateway.clock())
    begun = today - timedelta(days=30)
    row = {
        "document_number": "浙罚规则2",
        "kinds": ["罚款"],
        "fine": "5",
        "severity": "轻微",
        "publish_decided": True,
        "procedure": "普通",
        "appeal_state": "none",
        "decided_on": f"{begun - timedelta(days=5)}",
        "published_on": f"{begun}",
        "publicity_ends_on": f"{today + timedelta(days=3650)}",
    }
    outcome = await deliver(gateway, uscc, "penalty", **row)
    assert RowWarning.PUBLICITY_END in outcome.warnings
    bank = await gateway.client()
    await gateway.grant(bank, uscc, datasets=["penalty"])

    async def numbers() -> list[str]:
        records = (await bank.query(uscc, "penalty")).json()["records"]
        return [each["fields"]["document_number"] for each in records]

    assert "浙罚规则2" in await numbers()
    with gateway.clock.later(days=70):
        assert "浙罚规则2" not in await numbers()


async def test_r2_a_right_end_is_no_warning(gateway: GatewayFixture) -> None:
    """Three months for a minor penalty."""
    today = day_of(gateway.clock())
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    last = (first.replace(day=28) + timedelta(days=90)).replace(day=1)
    outcome = await deliver(
        gateway,
        new_enterprise(gateway),
        "penalty",
        document_number="浙罚规则2b",
        kinds=["罚款"],
        fine="5",
        severity="轻微",
        publish_decided=True,
        procedure="普通",
        decided_on=f"{first}",
        published_on=f"{first}",
        publicity_ends_on=f"{last}",
    )
    assert RowWarning.PUBLICITY_END not in outcome.warnings


def with_a_field(zh: str, en: str, class_: str) -> str:
    """The published catalogue with one more personal field."""
    members = f"name: more, zh: {zh}, en: {en}, type: text, class: {class_}, personal: true"
    published = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    return f"{published}      - {{{members}, description: It}}\n"


@pytest.mark.parametrize(
    ("zh", "en", "class_"),
    [
        ("宗教信仰", "Religion", "never"),
        ("血型", "Blood type", "never"),
        ("病史", "Illness", "government"),
        ("个人收入", "Income", "public"),
    ],
)
async def test_r3_some_subjects_have_no_field(zh: str, en: str, class_: str) -> None:
    """Whatever its class; income is never public."""
    with pytest.raises(CatalogueError, match="R3"):
        load_catalogue(with_a_field(zh, en, class_))


async def test_r3_a_persons_income_may_be_disclosed_under_consent() -> None:
    """A field of class `authorised`."""
    assert load_catalogue(with_a_field("个人收入", "Income", "authorised"))


async def test_r4_every_record_says_where_it_comes_from(gateway: GatewayFixture) -> None:
    """Source, time and catalogue version, in queries and on the public page."""
    bank, uscc = await gateway.client(), gateway.subject("penalised")["uscc"]
    datasets = ["registration", "licence", "penalty"]
    await gateway.grant(bank, uscc, datasets=datasets)
    queried = (await bank.query(uscc, *datasets)).json()["records"]
    shown = section(await page(gateway, "penalised"), "penalty")["records"]
    assert {each["dataset"] for each in queried} == set(datasets)
    for each in (*queried, *shown):
        assert each["source"]["name"]
        assert each["source_time"]
        assert each["catalogue_version"] == gateway.runtime.catalogue.version
        assert set(each["fields"])


async def test_r5_no_personal_number_is_disclosed_on_any_channel(gateway: GatewayFixture) -> None:
    """Neither from free text and encrypted fields nor in answers."""
    of, subject = (
        gateway.entity("id_number_in_free_text"),
        gateway.subject("id_number_in_free_text"),
    )
    bank = await gateway.client()
    await gateway.grant(bank, of.uscc, datasets=["penalty", "licence"])
    seen = "".join(
        (
            (await bank.query(of.uscc, "penalty", "licence")).text,
            (await bank.verify(of.uscc, "no_live_penalty.v1", "is_active.v1")).text,
            json.dumps(await page(gateway, "id_number_in_free_text"), ensure_ascii=False),
        )
    )
    assert subject["uscc"] == of.uscc
    assert "[" in seen
    for name in ("legal_representative_id_number", "phone", "home_address"):
        assert of.personal[name] not in seen


async def test_r5_a_phone_is_disclosed_under_consent_only(gateway: GatewayFixture) -> None:
    """ID numbers and home addresses are never disclosed."""
    of, bank = gateway.entity("clean"), await gateway.client()
    await gateway.grant(bank, of.uscc, datasets=["registration"])
    told = (await bank.query(of.uscc, "registration")).text
    assert of.personal["phone"] in told
    assert of.personal["legal_representative_id_number"] not in told
    assert of.personal["home_address"] not in told
    assert of.personal["phone"] not in json.dumps(await page(gateway, "clean"))


async def without(gateway: GatewayFixture, uscc: str, *more: str) -> None:
    """Make the sources of these datasets unavailable."""
    await gateway.rows(
        "UPDATE enterprise SET unavailable = :away WHERE uscc = :uscc",
        uscc=uscc,
        away=["tax_and_social", *more],
    )


async def test_r6_no_record_and_no_source_are_two_things(gateway: GatewayFixture) -> None:
    """Neither is reported as "no violations"."""
    clean = section(await page(gateway, "clean"), "penalty")
    assert clean["state"] == "none"
    assert clean["statement"]["zh"].startswith("截至 ")
    assert "未查询到在公示期内的" in clean["statement"]["zh"]
    away = gateway.subject("source_unavailable")
    await without(gateway, away["uscc"], "penalty")
    shown = section(await page(gateway, "source_unavailable"), "penalty")
    assert (shown["state"], shown["statement"]["zh"]) == ("unavailable", "暂不可用")
    bank = await gateway.client()
    assert await bank.answers(away["uscc"], "no_live_penalty.v1") == ["not_determined"]
    await gateway.grant(bank, away["uscc"], datasets=["penalty"])
    withheld = (await bank.query(away["uscc"], "penalty")).json()["withheld"]
    assert {"dataset": "penalty", "reason": "source_unavailable"} in withheld
    await without(gateway, away["uscc"])
    whole = json.dumps(await page(gateway, "clean"), ensure_ascii=False)
    assert "无违法" not in whole
    assert "无处罚" not in whole


def make_agency(**changes: Any) -> Registration:
    """Registration of a credit-service agency."""
    members = {
        "client_id": "agency",
        "kind": "agency",
        "name_zh": "信用服务机构",
        "name_en": "Agency",
        "scopes": ("verify",),
        "jwks": make_set("k1"),
    }
    return Registration(**(members | changes))


async def test_r13_an_agency_needs_its_filing() -> None:
    """At registration; with it, it is registered."""
    with pytest.raises(RegistrationError, match="needs its filing"):
        make_agency()
    assert make_agency(filing=make_filing()).kind == "agency"


async def test_r13_an_agency_that_lapsed_is_refused_like_one_whose_agreement_ended(
    gateway: GatewayFixture,
) -> None:
    """From 24:00 of its filing's last day in Shanghai, at every address and for every token."""
    agency, uscc = await gateway.client("agency"), gateway.uscc("clean")
    lapse = "UPDATE client SET filing_valid_until = :day WHERE client_id = :id RETURNING 1"
    today = day_of(gateway.clock())
    await agency.token()
    for day, refused in ((today, False), (today - timedelta(days=1), True)):
        await gateway.rows(lapse, day=day, id=agency.client_id)
        answer = await agency.verify(uscc, "is_active.v1", purpose="tender")
        query = await agency.query(uscc, "registration", purpose="credit_service")
        if refused:
            assert (answer.status_code, answer.json()["code"]) == (403, "agreement_ended")
            assert (query.status_code, query.json()["code"]) == (403, "agreement_ended")
        else:
            assert answer.status_code == 200
            assert query.json()["code"] == "not_available"


async def test_r13_an_operators_name_is_not_confirmed_to_an_agency_without_a_licence(
    gateway: GatewayFixture,
) -> None:
    """Not determined, alone or in a group; a firm's legal representative is."""
    answers = {}
    for trait in ("individual_business", "clean"):
        of = gateway.entity(trait).enterprise
        name = of.legal_representative
        group = {"name": of.name, "legal_representative": name}
        asked = (("legal_representative_name.v1", name), ("three_elements.v1", group))
        for role, purpose in (("agency", "tender"), ("platform", "merchant_review")):
            client = await gateway.client(role)
            answer = await client.verify(of.uscc, *asked, purpose=purpose)
            answers[trait, role] = [each["answer"] for each in answer.json()["answers"]]
    assert answers == {
        ("individual_business", "agency"): ["not_determined"] * 2,
        ("individual_business", "platform"): ["yes"] * 2,
        ("clean", "agency"): ["yes"] * 2,
        ("clean", "platform"): ["yes"] * 2,
    }


async def test_r17_what_is_personal_lies_sealed_and_is_in_no_line_of_the_log(
    gateway: GatewayFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in the tables nor in the log lines of calls."""
    of, bank = gateway.entity("clean"), await gateway.client()
    await gateway.grant(bank, of.uscc, datasets=["registration"])
    assert of.personal["phone"] in (await bank.query(of.uscc, "registration")).text
    (row,) = await gateway.rows(
        "SELECT CAST(e AS text) AS whole, personal FROM enterprise AS e WHERE uscc = :uscc",
        uscc=of.uscc,
    )
    said = capfd.readouterr()
    for name in ("legal_representative_id_number", "phone", "home_address"):
        assert of.personal[name] not in row["whole"]
        assert of.personal[name].encode() not in row["personal"]
        assert of.personal[name] not in said.out + said.err


async def test_at_midnight_in_shanghai_a_record_ends_on_every_channel(
    gateway: GatewayFixture,
) -> None:
    """The same worker a second before and at midnight, caches included."""
    uscc = gateway.subject("expires_today")["uscc"]
    bank = await gateway.client()
    await gateway.grant(bank, uscc, datasets=["penalty"])

    async def told() -> tuple[int, str, int]:
        records = (await bank.query(uscc, "penalty")).json()["records"]
        [answer] = await bank.answers(uscc, "no_live_penalty.v1")
        shown = section(await page(gateway, "expires_today"), "penalty")["records"]
        return len(records), answer, len(shown)

    night = midnight(day_of(gateway.clock()) + timedelta(days=1)) - gateway.clock()
    with gateway.clock.later(seconds=night.total_seconds() - 20):
        assert await told() == (1, "no", 1)
    with gateway.clock.later(seconds=night.total_seconds()):
        assert await told() == (0, "yes", 0)
