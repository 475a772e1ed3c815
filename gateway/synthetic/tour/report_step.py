"""Tour step on an enterprise's own credit report: made, opened by the bank, verified, taken back."""

import asyncio
from typing import Final

from gateway.synthetic.tour.context import TourContext, require
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor
from xinqiao import CreditReport, errors, fetch_keys, verify_report

DATASETS: Final = ["registration", "penalty", "abnormal_listing", "serious_violation"]
BANK: Final = "演示银行"
ENDED: Final = "不再有效"


async def report(context: TourContext) -> None:
    """An enterprise makes a report for the bank, which verifies it; then it is taken back."""
    active = context.kit["consents"]["active"]
    subject = next(s for s in context.kit["subjects"] if s["uscc"] == active["uscc"])
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        report_id = await person.make_report(subject["uscc"], datasets=DATASETS, recipient=BANK)
        address = f"{context.bank.issuer}/R/{report_id}"
        context.print_line(f"{subject['login']['username']} made a report for {BANK}: {address}")
        found = await _verify(context, address)
        require(found.name == subject["name"], f"the report is about {found.name}")
        await person.take_back_report(report_id)
    status = await context.bank.report_status(found)
    require(not status.holds, f"the report that was taken back is {status.state}")
    async with HeadlessVisitor(context.bank.issuer) as reader:
        page = await reader.scan(address)
    require(ENDED in page, "the page of the report that was taken back does not say so")
    context.print_line(f"taken back; its page says at once: [red]✘ {ENDED}[/]")


async def _verify(context: TourContext, address: str) -> CreditReport:
    """Open the report by its address, as its QR code has it, and verify its file."""
    async with HeadlessVisitor(context.bank.issuer) as reader:
        page = await reader.scan(address)
        file = await reader.download(f"{address}/report.json")
    require(ENDED not in page, "the page of a new report says that it has ended")
    keys = await asyncio.to_thread(fetch_keys, context.bank.issuer)
    found = verify_report(file, keys=keys, issuer=context.bank.issuer)
    status = await context.bank.report_status(found)
    require(status.holds, f"the new report is {status.state}")
    days = (found.valid_until - found.created).days
    context.print_line(
        f"the bank opened and verified it: {len(found.records)} records, nothing found in "
        f"{len(found.nothing_found)} kinds, [green]✓ valid[/] for {days} days"
    )
    try:
        verify_report(file.replace(BANK.encode(), "别的银行".encode()), keys=keys)
    except errors.EvidenceInvalid as error:
        context.print_line(f"made out to another bank, it is refused: {error.detail}")
    else:
        require(holds=False, otherwise="a changed report was accepted")
    return found
