"""Tour steps on the public code page: penalties shown, expired, repaired."""

import html
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

import orjson

from gateway.access.timestamps import SHANGHAI
from gateway.synthetic.headless_visitor import HeadlessVisitor
from gateway.synthetic.tour.context import TourContext, require

OK: Final = 200


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


async def repair(context: TourContext) -> None:
    """A department delivers a penalty, then its repair: the page shows it, then hides it."""
    subject = context.subject("clean")
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
        answer = await context.department.request("POST", path, json=body, scope="records:write")
        context.signed += 1
        results = orjson.loads(answer.body)["results"] if answer.status == OK else []
        require([each["outcome"] for each in results] == [outcome], f"{path} gave {results}")
        async with HeadlessVisitor(context.bank.issuer) as citizen:
            page = await citizen.scan(subject["code_url"])
        require((number in page) is shown, f"after {path} the page shows it: {number in page}")
        result = "[red]shown[/]" if shown else "[green]not shown any more[/]"
        context.print_line(
            f"POST {path}: {outcome}; on {subject['name']}'s page {number}: {result}"
        )


def _plain(page: str) -> str:
    """The text of a page without tags."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", page)))
