"""Tour step on repair: application in the portal, the department's decision, the bank's notice."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from gateway.access.serializers.timestamps import SHANGHAI
from gateway.synthetic.tour.context import BY_BANK, TourContext, require
from gateway.synthetic.tour.headless_visitor import HeadlessVisitor

OK: Final = 200
WAIT_SECONDS: Final = 20
MAX_WAITS: Final = 3
STATEMENT: Final = "（合成）罚款已缴清，已全部整改。"
RECEIPT: Final = ("缴款凭证.txt", "（合成）罚款缴款凭证\n".encode())
REASON: Final = "义务已履行，同意信用修复（合成）"


async def repair(context: TourContext) -> None:
    """The bank is told a penalty; its enterprise applies, the department accepts, the bank is notified."""
    active = context.kit["consents"]["active"]
    subject = next(s for s in context.kit["subjects"] if s["uscc"] == active["uscc"])
    uscc = subject["uscc"]
    number, record_id = await _deliver_penalty(context, uscc)
    await _show_page(context, subject, number, shown=True)
    told = await context.bank.query(
        uscc, purpose=BY_BANK, datasets=["penalty"], consent_id=active["consent_id"]
    )
    context.count_signed(told.evidence)
    require(record_id in {each.record_id for each in told.records}, "the bank was not told")
    context.print_line("the bank queried under its consent and was told it")
    async with HeadlessVisitor(context.bank.issuer, subject["login"]) as person:
        application_id = await person.apply_for_repair(
            uscc, record_id, statement=STATEMENT, paper=RECEIPT
        )
    context.print_line(
        f"{subject['login']['username']} applied with a receipt, kept by digest only"
    )
    await _accept(context, application_id)
    kind = await _notice(context, record_id)
    context.print_line(f"GET /v1/changes: the bank is told [bold]{kind}[/]")
    require(kind == "record_repaired", f"the bank was told {kind}")
    await _show_page(context, subject, number, shown=False)


async def _deliver_penalty(context: TourContext, uscc: str) -> tuple[str, str]:
    """Deliver a penalty whose shortest publicity is over; its number and the record's id."""
    today = datetime.now(SHANGHAI).date()
    number = f"（合成）罚〔{today.year}〕{secrets.randbelow(10**6):06}号"
    penalty = {
        "uscc": uscc,
        "document_number": number,
        "kinds": ["罚款"],
        "fine": "12",
        "decided_on": (today - timedelta(days=200)).isoformat(),
        "appeal_state": "none",
    }
    answer = await _call(
        context, "POST", "/v1/records", {"dataset": "penalty", "records": [penalty]}
    )
    (result,) = answer["results"]
    require(result["outcome"] == "created", f"/v1/records gave {result}")
    context.print_line(f"the department delivered {number}")
    return number, result["record_id"]


async def _accept(context: TourContext, application_id: str) -> None:
    """The department reads the application, checks the paper's digest, and accepts."""
    listed = await _call(context, "GET", "/v1/records/repairs?status=open")
    ids = [each["application_id"] for each in listed["repairs"]]
    require(application_id in ids, f"the department sees {ids}")
    path = f"/v1/records/repairs/{application_id}"
    whole = await _call(context, "GET", path)
    digest = hashlib.sha256(RECEIPT[1]).hexdigest()
    require([each["sha256"] for each in whole["papers"]] == [digest], "another paper")
    context.print_line(
        f"GET /v1/records/repairs: due {whole['due']['on']}, paper {digest[:12]}… as shown"
    )
    done = await _call(context, "POST", f"{path}/decide", {"outcome": "accepted", "reason": REASON})
    require(done["status"] == "accepted", f"the decision gave {done['status']}")
    context.print_line("POST …/decide: [green]accepted[/], the record is repaired")


async def _notice(context: TourContext, record_id: str) -> str | None:
    """The kind of the bank's notice on a record, as soon as it is in the feed."""
    path, empty = "/v1/changes", 0
    while empty < MAX_WAITS:
        answer = await context.bank.request(
            "GET", f"{path}{'&' if '?' in path else '?'}wait={WAIT_SECONDS}", scope="changes"
        )
        context.signed += 1
        page = orjson.loads(answer.body)
        kinds = [each["kind"] for each in page["changes"] if each["record_id"] == record_id]
        if kinds:
            return str(kinds[-1])
        empty += not page["changes"]
        path = f"/v1/changes?after={page['cursor']}"
    return None


async def _show_page(
    context: TourContext, subject: dict[str, Any], number: str, *, shown: bool
) -> None:
    async with HeadlessVisitor(context.bank.issuer) as citizen:
        page = await citizen.scan(subject["code_url"])
    require((number in page) is shown, f"the page shows {number}: {number in page}")
    result = "[red]shown[/]" if shown else "[green]not shown any more[/]"
    context.print_line(f"on {subject['name']}'s page {number}: {result}")


async def _call(
    context: TourContext, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A call of the department."""
    more: dict[str, Any] = {} if body is None else {"json": body}
    answer = await context.department.request(method, path, scope="records:write", **more)
    context.signed += 1
    require(answer.status == OK, f"{method} {path} gave {answer.status}")
    found: dict[str, Any] = orjson.loads(answer.body)
    return found
