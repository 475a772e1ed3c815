"""Tour step on the outcome of an application: told by the bank, seen by the enterprise beside the query."""

from typing import Final

from gateway.synthetic.tour.context import TourContext, require
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor

REASON: Final = "live_penalty"
SHOWN: Final = ("部分通过", "有公示期内的行政处罚", "可以提出异议")


async def outcome(context: TourContext) -> None:
    """The bank approves for less because of a penalty; the enterprise reads why, and what it may do."""
    subject, query = context.subject("disputed"), context.query_id
    require(query, "there was no query")
    told = await context.bank.tell_outcome(query or "", "approved_less", reasons=[REASON])
    context.count_signed(told.evidence)
    context.print_line(f"PUT /v1/queries/…/outcome → {told.outcome}: {', '.join(told.reasons)}")
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        page = await person.access_history(subject["uscc"])
    missing = [words for words in SHOWN if words not in page]
    require(not missing, f"the access history lacks {missing}")
    context.print_line(
        f"{subject['login']['username']} sees it beside the query: [yellow]{SHOWN[0]}[/], {SHOWN[1]}; "
        "nobody else does"
    )
