"""Tour steps on consent: request by redirect and by link, query, withdrawal, exhaustion."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.table import Table

from gateway.synthetic.tour.context import BY_BANK, TourContext, TourFailedError, require
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from xinqiao import Record
from xinqiao.errors import ConsentExhausted, ConsentWithdrawn

REQUESTED_DATASETS: Final = ("registration", "penalty", "licence", "public_rating")
GRANTED_DATASETS: Final = ("registration", "penalty", "licence")


async def consent(context: TourContext) -> None:
    """PAR, the enterprise's decision in the portal, and the code exchange."""
    subject = context.subject("disputed")
    start = await context.bank.start_consent(
        purpose=BY_BANK, datasets=REQUESTED_DATASETS, uscc=subject["uscc"], max_uses=10
    )
    context.print_line("PAR with PKCE and authorization_details → request_uri")
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        callback = await person.decide(start.url, datasets=list(GRANTED_DATASETS), questions=[])
    context.grant = await context.bank.finish_consent(start, callback)
    context.print_line(
        f"{subject['login']['username']} signed in (demo identity provider) and ticked"
    )
    context.print_line(
        f"[green]☑[/] {' [green]☑[/] '.join(GRANTED_DATASETS)} [dim]☐ public_rating[/]"
    )
    context.print_line(
        f"code exchanged → consent [bold]{context.grant.consent_id}[/], {context.grant.max_uses} uses"
    )
    require(set(context.grant.datasets) == set(GRANTED_DATASETS), "another consent was granted")


async def query(context: TourContext) -> None:
    """The bank queries under the consent: records with provenance, and withheld items."""
    subject, grant = context.subject("disputed"), context.granted
    page = await context.bank.query(
        subject["uscc"], purpose=BY_BANK, datasets=REQUESTED_DATASETS, consent_id=grant.consent_id
    )
    context.count_signed(page.evidence)
    context.query_id = page.disclosure_id
    _show_records(context, page.records)
    for each in page.withheld:
        what = f"{each.dataset} (fields: {len(each.fields)})" if each.fields else each.dataset
        context.print_line(f"[dim]withheld[/] {what} — {each.reason}")
    objection = next((r.objection for r in page.records if r.objection), None)
    if objection:
        context.print_line(
            f"[yellow]异议中[/]: the enterprise disputes that record since {objection.since:%Y-%m-%d}"
        )
    uses_left = page.consent.uses_left if page.consent else None
    context.print_line(f"uses left: {uses_left}; recipient: {page.recipient}")
    require(any(record.objection for record in page.records), "no objection mark was shown")
    reasons = {each.dataset: each.reason for each in page.withheld if not each.fields}
    require(reasons.get("public_rating") == "not_in_consent", "public_rating was not withheld")


def _show_records(context: TourContext, records: Iterable[Record]) -> None:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading in ("    dataset", "record", "source", "as of", ""):
        table.add_column(heading, no_wrap=heading not in {"record", "source"}, overflow="fold")
    for record in records:
        disputed = "[yellow]异议中[/]" if record.objection else ""
        table.add_row(
            f"    {record.dataset}",
            _short(record.fields),
            record.source.name,
            f"{record.source_time:%Y-%m-%d}",
            disputed,
        )
    context.console.print(table)


async def withdrawal(context: TourContext) -> None:
    """The enterprise withdraws; the next query is refused."""
    subject, grant = context.subject("disputed"), context.granted
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        await person.withdraw(grant.consent_id)
    try:
        await context.bank.query(
            subject["uscc"], purpose=BY_BANK, datasets=GRANTED_DATASETS, consent_id=grant.consent_id
        )
    except ConsentWithdrawn as refused:
        context.signed += 1
        context.print_line(f"the next query: [red]{refused.status} {refused.code}[/]")
    else:
        raise TourFailedError("A withdrawn consent still told something.")


async def counter(context: TourContext) -> None:
    """Consent by link (QR code at the counter), limited to one use."""
    subject = context.subject("individual_business")
    asked = await context.bank.request_consent(
        subject["uscc"], purpose=BY_BANK, datasets=["registration", "licence"], max_uses=1
    )
    context.count_signed(asked.evidence)
    context.print_line(
        f"POST /v1/consents → a link to show as QR code, good until {asked.expires_at:%m-%d}"
    )
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        await person.grant(asked.capture_url, datasets=["registration", "licence"])
    context.print_line(
        f"{subject['login']['username']} opened it on a phone, signed in and ticked both"
    )
    wanted: dict[str, Any] = {
        "purpose": BY_BANK,
        "datasets": ["registration"],
        "consent_id": asked.consent_id,
    }
    page = await context.bank.query(subject["uscc"], **wanted)
    context.count_signed(page.evidence)
    context.print_line(f"one query returned {len(page.records)} record; uses left: 0")
    try:
        await context.bank.query(subject["uscc"], **wanted)
    except ConsentExhausted as refused:
        context.signed += 1
        context.print_line(f"the next one: [red]{refused.status} {refused.code}[/]")
    else:
        raise TourFailedError("A consent for one use was used twice.")


def _short(fields: Mapping[str, Any]) -> str:
    for name in ("document_number", "number", "name"):
        if name in fields:
            return str(fields[name])
    return "—"
