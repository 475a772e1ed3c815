"""The bank asks for consent in two ways, reads under it, and is refused when it has ended."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.table import Table

from gateway.synthetic.headless_visitor import HeadlessVisitor
from gateway.synthetic.tour.context import BY_BANK, TourContext, TourFailedError, require
from xinqiao import Record
from xinqiao.errors import ConsentExhausted, ConsentWithdrawn

REQUESTED_DATASETS: Final = ("registration", "penalty", "licence", "public_rating")
GRANTED_DATASETS: Final = ("registration", "penalty", "licence")


async def consent(stage: TourContext) -> None:
    """PAR, the enterprise's own decision on its page, and the code."""
    subject = stage.subject("disputed")
    start = await stage.bank.start_consent(
        purpose=BY_BANK,
        datasets=REQUESTED_DATASETS,
        uscc=subject["uscc"],
        max_uses=10,
    )
    stage.say("PAR with PKCE and authorization_details → request_uri")
    async with HeadlessVisitor(stage.bank.issuer, subject["login"]) as person:
        callback = await person.decide(start.url, datasets=list(GRANTED_DATASETS), questions=[])
    stage.grant = await stage.bank.finish_consent(start, callback)
    stage.say(
        f"{subject['login']['username']} signed in (demo identity provider) and ticked",
    )
    stage.say(
        f"[green]☑[/] {' [green]☑[/] '.join(GRANTED_DATASETS)} [dim]☐ public_rating[/]",
    )
    stage.say(
        f"code exchanged → consent [bold]{stage.grant.consent_id}[/], {stage.grant.max_uses} uses"
    )
    require(set(stage.grant.datasets) == set(GRANTED_DATASETS), "another consent was granted")


async def query(stage: TourContext) -> None:
    """The bank reads what the consent allows, with provenance, and is told what is withheld."""
    subject, grant = stage.subject("disputed"), stage.held
    page = await stage.bank.query(
        subject["uscc"],
        purpose=BY_BANK,
        datasets=REQUESTED_DATASETS,
        consent_id=grant.consent_id,
    )
    stage.saw(page.evidence)
    _show_records(stage, page.records)
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
    require(any(record.objection for record in page.records), "no objection mark was shown")
    reasons = {each.dataset: each.reason for each in page.withheld if not each.fields}
    require(reasons.get("public_rating") == "not_in_consent", "public_rating was not withheld")


def _show_records(stage: TourContext, records: Iterable[Record]) -> None:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading, width in (
        ("    dataset", 16),
        ("record", 18),
        ("source", 16),
        ("as of", 10),
        ("", 8),
    ):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=width)
    for record in records:
        disputed = "[yellow]异议中[/]" if record.objection else ""
        table.add_row(
            f"    {record.dataset}",
            _short(record.fields),
            record.source.name,
            f"{record.source_time:%Y-%m-%d}",
            disputed,
        )
    stage.console.print(table)


async def withdrawal(stage: TourContext) -> None:
    """The enterprise withdraws in two taps; the next query is refused."""
    subject, grant = stage.subject("disputed"), stage.held
    async with HeadlessVisitor(stage.bank.issuer, subject["login"]) as person:
        await person.withdraw(grant.consent_id)
    try:
        await stage.bank.query(
            subject["uscc"],
            purpose=BY_BANK,
            datasets=GRANTED_DATASETS,
            consent_id=grant.consent_id,
        )
    except ConsentWithdrawn as refused:
        stage.signed += 1
        stage.say(f"the next query: [red]{refused.status} {refused.code}[/]")
    else:
        raise TourFailedError("A withdrawn consent still told something.")


async def counter(stage: TourContext) -> None:
    """At the bank's counter: a QR code, the shopkeeper's own phone, one use and no more."""
    subject = stage.subject("individual_business")
    asked = await stage.bank.request_consent(
        subject["uscc"], purpose=BY_BANK, datasets=["registration", "licence"], max_uses=1
    )
    stage.saw(asked.evidence)
    stage.say(f"POST /v1/consents → a link to show as QR code, good until {asked.expires_at:%m-%d}")
    async with HeadlessVisitor(stage.bank.issuer, subject["login"]) as person:
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


def _short(fields: Mapping[str, Any]) -> str:
    for name in ("document_number", "number", "name"):
        if name in fields:
            return str(fields[name])
    return "—"
