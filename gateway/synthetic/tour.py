"""The tour: every part is played through the real door, by the SDK and by a visitor's requests.

Each step says what should happen and checks that it did; a step that fails ends the tour.
"""

import html
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import orjson
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.access.moments import SHANGHAI
from gateway.synthetic.build import Kit
from gateway.synthetic.visitor import Visitor
from xinqiao import AsyncClient, ConsentGrant, Evidence, KeySet, Verification, verify_evidence
from xinqiao.errors import ConsentExhausted, ConsentWithdrawn, EvidenceInvalid, SignatureInvalid

BY_PLATFORM: Final = "merchant_onboarding"
BY_BANK: Final = "loan_approval"
WANTED: Final = ("registration", "penalty", "licence", "public_rating")
OK: Final = 200
GRANTED: Final = ("registration", "penalty", "licence")
MARKS: Final = {
    "yes": "[green]是 yes[/]",
    "no": "[red]否 no[/]",
    "not_determined": "[yellow]无法确定 n/d[/]",
}


class TourFailedError(Exception):
    """A step did not end as it must."""


@dataclass(slots=True)
class Stage:
    """Who plays, what they hold, and where they speak."""

    kit: Kit
    console: Console
    bank: AsyncClient
    platform: AsyncClient
    department: AsyncClient
    signed: int = 0
    grant: ConsentGrant | None = None
    evidence: Evidence | None = None

    def subject(self, *traits: str) -> dict[str, Any]:
        """The first subject of the kit that has all these traits."""
        fitting = (s for s in self.kit["subjects"] if set(traits) <= set(s["traits"]))
        return next(fitting)

    def saw(self, evidence: Evidence) -> None:
        """One more answer whose signature the SDK has verified."""
        self.signed += 1
        self.evidence = evidence

    def say(self, text: str) -> None:
        """A line below a step's title."""
        self.console.print(Padding(Text.from_markup(text), (0, 0, 0, 4)))


Step = Callable[[Stage], Awaitable[None]]


async def tour(kit: Kit, console: Console) -> None:
    """Go through all steps."""
    options: dict[str, Any] = {"redirect_uri": kit["clients"]["bank"]["redirect_uris"][0]}
    async with (
        AsyncClient.from_kit(kit, "bank", **options) as bank,
        AsyncClient.from_kit(kit, "platform") as platform,
        AsyncClient.from_kit(kit, "source") as department,
    ):
        stage = Stage(kit=kit, console=console, bank=bank, platform=platform, department=department)
        for number, (title, step) in enumerate(STEPS, start=1):
            console.print(f"[bold cyan]{number}[/] [bold]{title}[/]", highlight=False)
            await step(stage)
    console.print(
        f"[bold green]✓ Tour complete.[/] {stage.signed} signed answers, every signature verified.\n",
        highlight=False,
    )


async def tokens(stage: Stage) -> None:
    """The bank's first call makes a client assertion and a DPoP proof, and gets a token by them."""
    questions = await stage.bank.questions()
    stage.saw(questions.evidence)
    stage.say(
        f"{stage.bank.client_id}: private_key_jwt assertion + DPoP proof → a token bound to its key",
    )
    stage.say(
        f"first call: {len(questions.questions)} questions in catalogue {questions.catalogue_version}",
    )


async def verifications(stage: Stage) -> None:
    """A platform asks five things of a clean enterprise, and then of one on the list."""
    for traits, serious in ((("clean",), "yes"), (("serious_violation",), "no")):
        subject = stage.subject(*traits)
        asked = (
            ("enterprise_name.v1", subject["name"], "yes"),
            ("is_active.v1", None, "yes"),
            ("legal_representative_name.v1", "不是本人", "no"),
            ("rating_at_least.v1", "良好", "not_determined"),
            ("not_on_serious_violation_list.v1", None, serious),
        )
        answer = await stage.platform.verify(
            subject["uscc"],
            purpose=BY_PLATFORM,
            questions=[(tag, value) for tag, value, _ in asked],
        )
        stage.saw(answer.evidence)
        stage.say(f"[bold]{subject['name']}[/] {subject['uscc']}")
        _show_answers(stage, answer, asked)
        for tag, _, expected in asked:
            _demand(
                answer[tag].answer == expected, f"{tag} was {answer[tag].answer}, not {expected}"
            )


def _show_answers(
    stage: Stage, answer: Verification, asked: Iterable[tuple[str, str | None, str]]
) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=18)
    table.add_column(no_wrap=True)
    for tag, value, _ in asked:
        table.add_row("   ", tag, Text(value or "—"), MARKS[answer[tag].answer])
    stage.console.print(table)


async def consent(stage: Stage) -> None:
    """PAR, the enterprise's own decision on its page, and the code."""
    subject = stage.subject("disputed")
    start = await stage.bank.start_consent(
        purpose=BY_BANK,
        datasets=WANTED,
        uscc=subject["uscc"],
        max_uses=10,
    )
    stage.say("PAR with PKCE and authorization_details → request_uri")
    async with Visitor(stage.bank.issuer, subject["login"]) as person:
        callback = await person.decide(start.url, datasets=list(GRANTED), questions=[])
    stage.grant = await stage.bank.finish_consent(start, callback)
    stage.say(
        f"{subject['login']['username']} signed in (demo identity provider) and ticked",
    )
    stage.say(
        f"[green]☑[/] {' [green]☑[/] '.join(GRANTED)} [dim]☐ public_rating[/]",
    )
    stage.say(
        f"code exchanged → consent [bold]{stage.grant.consent_id}[/], {stage.grant.max_uses} uses"
    )
    _demand(set(stage.grant.datasets) == set(GRANTED), "another consent was granted")


async def query(stage: Stage) -> None:
    """The bank reads what the consent allows, with provenance, and is told what is withheld."""
    subject, grant = stage.subject("disputed"), _held(stage)
    page = await stage.bank.query(
        subject["uscc"],
        purpose=BY_BANK,
        datasets=WANTED,
        consent_id=grant.consent_id,
    )
    stage.saw(page.evidence)
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading, width in (
        ("    dataset", 16),
        ("record", 18),
        ("source", 16),
        ("as of", 10),
        ("", 8),
    ):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=width)
    for record in page.records:
        disputed = "[yellow]异议中[/]" if record.objection else ""
        table.add_row(
            f"    {record.dataset}",
            _short(record.fields),
            record.source.name,
            f"{record.source_time:%Y-%m-%d}",
            disputed,
        )
    stage.console.print(table)
    for each in page.withheld:
        what = f"{each.dataset} ({len(each.fields)} fields)" if each.fields else each.dataset
        stage.say(f"[dim]withheld[/] {what} — {each.reason}")
    objection = next((r.objection for r in page.records if r.objection), None)
    if objection:
        stage.say(
            f"[yellow]异议中[/]: the enterprise disputes that record since {objection.since:%Y-%m-%d}"
        )
    uses_left = page.consent.uses_left if page.consent else None
    stage.say(f"uses left: {uses_left}; recipient: {page.recipient}")
    _demand(any(record.objection for record in page.records), "no objection mark was shown")
    reasons = {each.dataset: each.reason for each in page.withheld if not each.fields}
    _demand(reasons.get("public_rating") == "not_in_consent", "public_rating was not withheld")


async def withdrawal(stage: Stage) -> None:
    """The enterprise withdraws in two taps; the next query is refused."""
    subject, grant = stage.subject("disputed"), _held(stage)
    async with Visitor(stage.bank.issuer, subject["login"]) as person:
        await person.withdraw(grant.consent_id)
    try:
        await stage.bank.query(
            subject["uscc"],
            purpose=BY_BANK,
            datasets=GRANTED,
            consent_id=grant.consent_id,
        )
    except ConsentWithdrawn as refused:
        stage.signed += 1
        stage.say(f"the next query: [red]{refused.status} {refused.code}[/]")
    else:
        raise TourFailedError("A withdrawn consent still told something.")


async def counter(stage: Stage) -> None:
    """At the bank's counter: a QR code, the shopkeeper's own phone, one use and no more."""
    subject = stage.subject("individual_business")
    asked = await stage.bank.request_consent(
        subject["uscc"], purpose=BY_BANK, datasets=["registration", "licence"], max_uses=1
    )
    stage.saw(asked.evidence)
    stage.say(f"POST /v1/consents → a link to show as QR code, good until {asked.expires_at:%m-%d}")
    async with Visitor(stage.bank.issuer, subject["login"]) as person:
        await person.grant(asked.capture_url, datasets=["registration", "licence"])
    stage.say(f"{subject['login']['username']} opened it on a phone, signed in and ticked both")
    wanted: dict[str, Any] = {
        "purpose": BY_BANK,
        "datasets": ["registration"],
        "consent_id": asked.consent_id,
    }
    page = await stage.bank.query(subject["uscc"], **wanted)
    stage.saw(page.evidence)
    stage.say(f"one query told {len(page.records)} record; uses left: 0")
    try:
        await stage.bank.query(subject["uscc"], **wanted)
    except ConsentExhausted as refused:
        stage.signed += 1
        stage.say(f"the next one: [red]{refused.status} {refused.code}[/]")
    else:
        raise TourFailedError("A consent for one use was used twice.")


async def scan(stage: Stage) -> None:
    """A citizen scans three codes: a live penalty is shown, an expired and a repaired one are not."""
    async with Visitor(stage.bank.issuer) as citizen:
        for trait, shown in (("penalised", True), ("penalty_expired", False), ("repaired", False)):
            subject = stage.subject(trait)
            page = _plain(await citizen.scan(subject["code_url"]))
            _demand(subject["name"] in page, "the page does not name the enterprise")
            absent = "未查询到在公示期内的行政处罚" in page
            _demand(absent is not shown, f"the penalty of a {trait} subject: shown={not absent}")
            told = (
                "[red]行政处罚 shown[/]"
                if shown
                else "[green]截至现在未查询到在公示期内的行政处罚[/]"
            )
            stage.say(f"{subject['name']} ({trait.replace('_', ' ')}): {told}")


async def repair(stage: Stage) -> None:
    """A department delivers a penalty and repairs it: the public page shows it, and no longer."""
    subject = stage.subject("clean")
    today = datetime.now(SHANGHAI).date()
    number = f"（合成）罚〔{today.year}〕{secrets.randbelow(10**6):06}号"
    penalty = {
        "uscc": subject["uscc"],
        "document_number": number,
        "kinds": ["罚款"],
        "fine": "12",
        "decided_on": (today - timedelta(days=200)).isoformat(),
        "appeal_state": "none",
    }
    act = {
        "dataset": "penalty",
        "uscc": subject["uscc"],
        "key": number,
        "action": "repair",
        "reason": "信用修复决定（合成）",
        "decided_on": today.isoformat(),
    }
    calls = (
        ("/v1/records", {"dataset": "penalty", "records": [penalty]}, True, "created"),
        ("/v1/records/actions", act, False, "updated"),
    )
    for path, body, shown, outcome in calls:
        answer = await stage.department.request("POST", path, json=body, scope="records:write")
        stage.signed += 1
        results = orjson.loads(answer.body)["results"] if answer.status == OK else []
        _demand([each["outcome"] for each in results] == [outcome], f"{path} gave {results}")
        async with Visitor(stage.bank.issuer) as citizen:
            page = await citizen.scan(subject["code_url"])
        _demand((number in page) is shown, f"after {path} the page shows it: {number in page}")
        told = "[red]shown[/]" if shown else "[green]not shown any more[/]"
        stage.say(f"POST {path}: {outcome}; on {subject['name']}'s page {number}: {told}")


async def tampering(stage: Stage) -> None:
    """Whoever changes one word of an answer is found out: on the way, and in the file."""
    subject = stage.subject("clean")
    async with AsyncClient.from_kit(stage.kit, "platform", transport=Forger()) as deceived:
        try:
            await deceived.verify(subject["uscc"], purpose=BY_PLATFORM, questions=["is_active.v1"])
        except SignatureInvalid as refused:
            stage.say(f"one word changed on the way: [red]refused[/] — {refused}")
        else:
            raise TourFailedError("A tampered answer passed.")
    if stage.evidence is None:
        raise TourFailedError("There is no evidence.")
    keys = KeySet.read({"keys": [dict(stage.evidence.key)]})
    kept = verify_evidence(stage.evidence, keys=keys)
    stage.say(
        f"the kept evidence, offline: [green]authentic[/] as of {kept.signed_at:%Y-%m-%d %H:%M:%S}Z"
    )
    exchange = stage.evidence.exchange
    forged = replace(exchange, response_body=exchange.response_body.replace(b'"uscc"', b'"code"'))
    try:
        verify_evidence(replace(stage.evidence, exchange=forged), keys=keys)
    except EvidenceInvalid as refused:
        stage.say(f"one word changed in the file: [red]refused[/] — {refused}")
    else:
        raise TourFailedError("Tampered evidence passed.")


class Forger(httpx2.AsyncBaseTransport):
    """Somebody between the client and the gateway, who turns each yes into a no."""

    def __init__(self) -> None:
        self._wire = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass the request on, and a changed answer back."""
        answer = await self._wire.handle_async_request(request)
        body = (await answer.aread()).replace(b'"yes"', b'"no" ')
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

    async def aclose(self) -> None:
        """Let go of the wire."""
        await self._wire.aclose()


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("The bank gets an access token · 银行取得访问令牌", tokens),
    ("The platform verifies attributes · 平台核验", verifications),
    ("The bank asks for consent, the enterprise decides · 授权", consent),
    ("The bank queries under that consent · 授权查询", query),
    ("The enterprise withdraws · 撤回授权", withdrawal),
    ("The bank asks at its counter, by a QR code · 扫码授权", counter),
    ("A citizen scans enterprise codes · 扫企业码", scan),
    ("A department delivers and repairs · 信用修复", repair),
    ("Every answer was signed; a tampered copy is refused · 验签", tampering),
)


def _held(stage: Stage) -> ConsentGrant:
    if stage.grant is None:
        raise TourFailedError("There is no consent.")
    return stage.grant


def _short(fields: Mapping[str, Any]) -> str:
    for name in ("document_number", "number", "name"):
        if name in fields:
            return str(fields[name])
    return "—"


def _plain(page: str) -> str:
    """A page's text without its tags."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", page)))


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise TourFailedError(f"The tour expected something else: {otherwise}.")
