"""Mining credit files with valid credentials: each attack has a goal, and reports what it has learned.

Each is tried in every way of asking (`tests.ways_of_asking`): single calls, a batch, a job, and by turns.
"""

import secrets
from collections.abc import Iterator, Sequence

import httpx2
import orjson
import pytest

from gateway.limits.quotas import Quotas
from tests import batch_builders, job_builders, watch_builders
from tests.anomaly_checks import flagged_of
from tests.anomaly_traffic import code_at
from tests.api.test_verifications_id_numbers import sealed
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, verification_body
from tests.ways_of_asking import EVERY_WAY, Ask, Report, Row

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUOTAS = Quotas(
    per_minute=1_000_000,
    per_day=1_000_000,
    per_enterprise_per_minute=100_000,
    distinct_enterprises_per_day=1_000_000,
)
NAME = "legal_representative_name.v1"
ID_NUMBER = "legal_representative_id.v1"
GROUP = "four_elements.v1"
RATING = "rating_at_least.v1"
BANDS = ("差", "较差", "中等", "良好", "优秀")
CLOSED: Sequence[tuple[str, str]] = (
    (RATING, "良好"),
    ("comprehensive_rating_at_least.v1", "良好"),
    ("paid_social_insurance_on_time.v1", "12"),
)
"""Questions that need a consent."""
BUDGET = 3


@pytest.fixture(params=EVERY_WAY)
def ask(request: pytest.FixtureRequest) -> Ask:
    """A way of asking."""
    return EVERY_WAY[request.param]


@pytest.fixture
def report() -> Iterator[Report]:
    """The attack's report, printed at its end."""
    made = Report(goal="")
    yield made
    print(made)


async def attacker(gateway: GatewayFixture) -> Caller:
    """A bank with an agreement on every question, and quotas that stop nothing."""
    return await gateway.client(quotas=QUOTAS)


async def test_read_an_id_number_digit_by_digit(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """Under a consent that names it: by itself, in a group, in other spellings, encrypted.

    The grant: three values in thirty days.
    """
    bank, of = await attacker(gateway), gateway.entity("clean")
    report.goal = "read an ID number digit by digit"
    await gateway.grant(bank, of.uscc, datasets=(), questions=[ID_NUMBER, GROUP], max_uses=None)
    number = of.personal["legal_representative_id_number"]
    guesses = [f"{number[:16]}{n}X" for n in range(10) if number[16] != str(n)] + [number]
    own = {
        "name": of.enterprise.name,
        "legal_representative": of.enterprise.legal_representative,
    }
    rows: list[tuple[str, Row]] = []
    for guess in guesses:
        wide = guess.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
        rows += [
            (
                guess,
                (of.uscc, [(ID_NUMBER, guess), (ID_NUMBER, await sealed(bank, of.uscc, guess))]),
            ),
            (guess, (of.uscc.lower(), [(ID_NUMBER, wide), (ID_NUMBER, f" {guess.lower()} ")])),
            (guess, (of.uscc, [(GROUP, {**own, "id_number": guess})])),
        ]
    told = await ask(bank, [row for _, row in rows])
    report.asked = len(rows)
    report.learned = {
        guess
        for (guess, _), answers in zip(rows, told, strict=True)
        if set(answers) & {"yes", "no"}
    }
    assert len(report.learned) <= BUDGET, report
    assert number not in report.learned, report


async def test_find_whether_an_enterprise_exists(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """By questions that are not of public state: known, repaired, listed and unknown ones alike."""
    bank = await attacker(gateway)
    report.goal = "find whether an enterprise exists"
    usccs = [gateway.uscc(trait) for trait in ("clean", "repaired", "serious_violation")]
    unknown = [UNKNOWN, code_at(secrets.randbelow(10**8))]
    told = await ask(bank, [(uscc, CLOSED) for uscc in (*usccs, *unknown)])
    report.asked = len(told)
    report.learned = {str(each) for each in told if each != told[-1]}
    assert not report.learned, report
    assert set(told[0]) == {"not_determined"}


async def test_find_a_rating_by_binary_search(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """With a consent three bands are told, without one none; no threshold of one's own is taken."""
    bank, uscc = await attacker(gateway), gateway.uscc("clean")
    report.goal = "find a rating by binary search"
    rows: list[Row] = [(uscc, [(RATING, band)]) for band in BANDS]
    assert await ask(bank, rows) == [["not_determined"]] * len(BANDS)
    await gateway.grant(bank, uscc, questions=[RATING], max_uses=None)
    own: list[Row] = [(uscc, [(RATING, between)]) for between in ("75", "良好+", "中", "B")]
    told = await ask(bank, rows + own)
    report.asked = len(rows) + len(own)
    report.learned = {
        band for band, each in zip(BANDS, told[: len(BANDS)], strict=True)
        if set(each) & {"yes", "no"}
    }  # fmt: skip
    assert len(report.learned) <= BUDGET, report
    assert told[len(BANDS) :] == [["invalid_request"]] * len(own)


async def test_find_whether_another_bank_has_a_consent(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """What is told is the same before another bank has it and after it has asked under it."""
    thief, bank = await attacker(gateway), await attacker(gateway)
    report.goal = "find whether another bank has consent"
    uscc = gateway.uscc("clean")
    rows: list[Row] = [(uscc, CLOSED), (uscc, ["is_active.v1", (NAME, "王一")])]
    before = await ask(thief, rows)
    consent = await gateway.grant(bank, uscc, questions=[tag for tag, _ in CLOSED], max_uses=None)
    told = await ask(bank, [(uscc, CLOSED[:1])])
    assert told[0] != ["not_determined"]
    after = await ask(thief, rows)
    report.asked = 2 * len(rows)
    report.learned = {str(each) for each, then in zip(after, before, strict=True) if each != then}
    looked = [
        await thief.send(f"/v1/consents/{each}", b"", method="GET", scope="consents")
        for each in (consent, "cst_" + "a" * 26)
    ]
    report.learned |= {each.json()["code"] for each in looked} - {"not_found"}
    assert not report.learned, report


async def test_sweep_a_division(gateway: GatewayFixture, ask: Ask, report: Report) -> None:
    """A range of codes: public state is told, as by the public register; the sweep is flagged and slowed."""
    bank, first = await attacker(gateway), secrets.randbelow(10**8)
    report.goal = "sweep a division"
    codes = [code_at(first + step) for step in range(120)]
    told = await ask(bank, [(code, ["is_active.v1", *CLOSED]) for code in codes])
    report.asked = len(codes)
    report.learned = {answer for each in told for answer in each[1:]} - {"not_determined"}
    assert not report.learned, report
    found = await flagged_of(bank)
    assert "sequential_codes" in found
    assert found["sequential_codes"]["throttled_until"] is not None


async def test_guess_names_all_over_the_register(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """Inside each budget, at sixty enterprises: flagged for what it is."""
    bank = await attacker(gateway)
    report.goal = "guess names all over the register"
    known = [each.enterprise for each in gateway.entities if each.enterprise.code_ok][:60]
    guesses = [(NAME, f"王{n}") for n in range(4)]
    told = await ask(bank, [(each.uscc, guesses) for each in known])
    report.asked = len(known) * len(guesses)
    report.learned = {
        each.uscc for each, answers in zip(known, told, strict=True) if "yes" in answers
    }
    assert not report.learned, report
    assert {answers[-1] for answers in told} == {"not_determined"}
    assert set(await flagged_of(bank)) >= {"spent_budgets"}


async def test_burn_another_clients_budget(
    gateway: GatewayFixture, ask: Ask, report: Report
) -> None:
    """Whatever is guessed about an enterprise, another client is answered and has its quotas."""
    thief, bank = await attacker(gateway), await attacker(gateway)
    fresh = await attacker(gateway)
    report.goal = "burn another client's budget"
    of = gateway.entity("clean").enterprise
    wrong: list[Row] = [(of.uscc, [(NAME, f"王{n}")]) for n in range(12)]
    await ask(thief, wrong)
    report.asked = len(wrong)
    right = (NAME, of.legal_representative)
    answer, other = [await each.verify(of.uscc, right) for each in (bank, fresh)]
    if answer.json()["answers"] != [{"question": NAME, "answer": "yes", "match": "strict"}]:
        report.learned.add("the budget is shared")
    quotas = [each.headers["RateLimit"].split(";t=")[0] for each in (answer, other)]
    if quotas[0] != quotas[1]:
        report.learned.add("the quota is shared")
    assert not report.learned, report


async def test_split_an_attack_over_every_way(gateway: GatewayFixture, report: Report) -> None:
    """Three guesses by each way, of one enterprise: three are answered, not nine."""
    bank, of = await attacker(gateway), gateway.entity("clean").enterprise
    report.goal = "split an attack over every way"
    told = []
    for turn, ask in enumerate(EVERY_WAY.values()):
        told += await ask(bank, [(of.uscc, [(NAME, f"王{turn}{n}")]) for n in range(BUDGET)])
    report.asked = len(told)
    report.learned = {str(n) for n, each in enumerate(told) if each != ["not_determined"]}
    assert len(report.learned) == BUDGET, report


@pytest.mark.parametrize("way", ["single", "batch", "job"])
async def test_replay(gateway: GatewayFixture, way: str, report: Report) -> None:
    """A captured request is answered once, and with no other client's credentials."""
    bank, thief = await attacker(gateway), await attacker(gateway)
    report.goal = "replay a captured request"
    uscc = gateway.uscc("clean")
    path, body, content_type = {
        "single": (
            "/v1/verifications",
            orjson.dumps(verification_body(uscc, "is_active.v1")),
            "application/json",
        ),
        "batch": (
            batch_builders.PATH,
            batch_builders.batch_body([batch_builders.batch_line(1, uscc, "is_active.v1")]),
            batch_builders.NDJSON,
        ),
        "job": (job_builders.PATH, b"{}", "application/json"),
    }[way]
    captured = await bank.headers("POST", path, body) | {
        "Content-Type": content_type,
        "Idempotency-Key": secrets.token_hex(8),
    }
    sent = await gateway.http.post(path, content=body, headers=captured)
    assert sent.is_success, sent.text
    stolen = await thief.headers("POST", path, body)
    for headers in (
        captured,
        captured | {"Authorization": stolen["Authorization"]},
        captured | {"DPoP": stolen["DPoP"]},
    ):
        again = await gateway.http.post(path, content=body, headers=headers)
        report.asked += 1
        if again.status_code != httpx2.codes.UNAUTHORIZED:
            report.learned.add(again.text)
    assert not report.learned, report


async def test_learn_from_a_watch_what_cannot_be_asked(
    gateway: GatewayFixture, report: Report
) -> None:
    """Closed questions cannot be watched, unknown enterprises can; others' feeds stay theirs."""
    bank, thief = await attacker(gateway), await attacker(gateway)
    report.goal = "learn from a watch what cannot be asked"
    for tag, _ in CLOSED:
        refused = await watch_builders.put(thief, [gateway.uscc("clean")], tag)
        report.learned |= {tag} if refused.is_success else set()
    known, unknown = [
        (await watch_builders.put(thief, [uscc], name=name)).json()
        for name, uscc in (("known", gateway.uscc("clean")), ("unknown", UNKNOWN))
    ]
    own = {"name", "created_at", "replaced_at"}
    report.learned |= {each for each in known.keys() - own if known[each] != unknown[each]}
    report.asked = len(CLOSED) + 2
    await watch_builders.watch(gateway, bank, gateway.uscc("penalised"))
    report.learned |= {uscc for uscc, _ in await watch_builders.told(gateway, thief)}
    assert not report.learned, report
