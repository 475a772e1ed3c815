"""Tour step on the public code page: penalties shown, expired, repaired."""

import html
import re

from gateway.synthetic.tour.context import TourContext, require
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor


async def scan(context: TourContext) -> None:
    """Scan three codes: a live penalty is shown, an expired and a repaired one are not."""
    async with HeadlessVisitor(context.bank.issuer) as citizen:
        for trait, shown in (("penalised", True), ("penalty_expired", False), ("repaired", False)):
            subject = context.subject(trait)
            page = _plain(await citizen.scan(subject["code_url"]))
            require(subject["name"] in page, "the page does not name the enterprise")
            absent = "未查询到在公示期内的行政处罚" in page
            require(absent is not shown, f"the penalty of a {trait} subject: shown={not absent}")
            result = (
                "[red]行政处罚 shown[/]"
                if shown
                else "[green]截至现在未查询到在公示期内的行政处罚[/]"
            )
            context.print_line(f"{subject['name']} ({trait.replace('_', ' ')}): {result}")


def _plain(page: str) -> str:
    """The text of a page without tags."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", page)))
