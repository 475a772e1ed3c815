"""Tour steps of a platform's nightly review: all merchants in one batch, then a watch on them."""

import secrets
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from gateway.access.serializers.timestamps import SHANGHAI
from gateway.synthetic.tour.context import TourContext, TourFailedError, require
from gateway.synthetic.tour.verification_steps import ANSWER_MARKS
from xinqiao import QuestionTag

BY_REVIEW: Final = "merchant_review"
LIST: Final = "tour"
PENALTY: Final[QuestionTag] = "no_live_penalty.v1"
QUESTIONS: Final[tuple[QuestionTag, ...]] = ("registration_standing.v1", "not_abnormal.v1", PENALTY)
NOTICE: Final = "answer_may_have_changed"
WAIT_SECONDS: Final = 20
MAX_WAITS: Final = 6
OK: Final = 200


async def review(context: TourContext) -> None:
    """All subjects of the kit in one batch, each line shown to stand under its signed manifest."""
    codes = [each["uscc"] for each in context.kit["subjects"]]
    found: Counter[str] = Counter()
    answered = 0
    async for row in context.platform.verify_many(
        codes, purpose=BY_REVIEW, questions=list(QUESTIONS)
    ):
        require(row.answered, f"line {row.row} was {row.problem}")
        found.update(str(each.answer) for each in row.answers)
        answered += 1
        if all(each.answer == "yes" for each in row.answers):
            context.merchant = row.uscc
    require(answered == len(codes), f"{answered} of {len(codes)} were answered")
    context.signed += 1
    context.print_line(
        f"POST /v1/verifications/batch: {answered} merchants, {len(QUESTIONS)} questions each, "
        "one signed manifest over all lines"
    )
    told = "  ".join(f"{ANSWER_MARKS[answer]} {found[answer]}" for answer in ANSWER_MARKS)
    context.print_line(told)


async def watch(context: TourContext) -> None:
    """A watched merchant is penalised, and the decision withdrawn: both times the feed says to ask again."""
    uscc = context.merchant or ""
    require(uscc, "no merchant is without a penalty")
    listed = await context.platform.put_watch(
        LIST, purpose=BY_REVIEW, questions=[PENALTY], enterprises=[uscc]
    )
    context.count_signed(listed.evidence)
    context.print_line(f"PUT /v1/watches/{LIST}: {PENALTY} of one merchant")
    cursor = await _newest(context)
    await _ask(context, uscc, "yes")
    number = await _penalise(context, uscc)
    cursor = await _told(context, uscc, cursor)
    await _ask(context, uscc, "no")
    await _withdraw(context, uscc, number)
    await _told(context, uscc, cursor)
    await _ask(context, uscc, "yes")
    context.count_signed(await context.platform.delete_watch(LIST))


async def _ask(context: TourContext, uscc: str, expected: str) -> None:
    answer = await context.platform.verify(uscc, purpose=BY_REVIEW, questions=[PENALTY])
    context.count_signed(answer.evidence)
    got = answer[PENALTY].answer
    require(got == expected, f"{PENALTY} was {got}, not {expected}")
    context.print_line(f"asked: {ANSWER_MARKS[got]}")


async def _penalise(context: TourContext, uscc: str) -> str:
    """Deliver a penalty of ten days ago; its number."""
    today = datetime.now(SHANGHAI).date()
    number = f"（合成）罚〔{today.year}〕{secrets.randbelow(10**6):06}号"
    record = {
        "uscc": uscc,
        "document_number": number,
        "kinds": ["罚款"],
        "fine": "12",
        "decided_on": (today - timedelta(days=10)).isoformat(),
        "appeal_state": "none",
    }
    answer = await _deliver(context, "/v1/records", {"dataset": "penalty", "records": [record]})
    (result,) = answer["results"]
    require(result["outcome"] == "created", f"/v1/records gave {result}")
    context.print_line(f"the department delivers {number}")
    return number


async def _withdraw(context: TourContext, uscc: str, number: str) -> None:
    """The department withdraws its decision."""
    action = {
        "dataset": "penalty",
        "uscc": uscc,
        "key": number,
        "action": "withdraw",
        "reason": "决定已撤销（合成）",
        "decided_on": datetime.now(SHANGHAI).date().isoformat(),
    }
    await _deliver(context, "/v1/records/actions", {"actions": [action]})
    context.print_line(f"the department withdraws {number}")


async def _deliver(context: TourContext, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await context.department.request("POST", path, scope="records:write", json=body)
    context.signed += 1
    require(answer.status == OK, f"POST {path} gave {answer.status}")
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


async def _newest(context: TourContext) -> str | None:
    """The cursor after all notices that the platform has so far."""
    cursor = None
    while True:
        page = await context.platform.changes(after=cursor)
        cursor = page.cursor
        if not page.changes:
            return cursor


async def _told(context: TourContext, uscc: str, cursor: str | None) -> str:
    """Wait for the notice on this enterprise; the cursor after it."""
    for _ in range(MAX_WAITS):
        after = "" if cursor is None else f"after={cursor}&"
        answer = await context.platform.request(
            "GET", f"/v1/changes?{after}wait={WAIT_SECONDS}", scope="changes"
        )
        context.signed += 1
        page = orjson.loads(answer.body)
        cursor = page["cursor"]
        told = [
            each["questions"]
            for each in page["changes"]
            if each["kind"] == NOTICE and each["uscc"] == uscc
        ]
        if told:
            require(told == [[PENALTY]], f"the platform was told of {told}")
            context.print_line(f"GET /v1/changes: [bold]{NOTICE}[/], {PENALTY}: ask again")
            return str(cursor)
    raise TourFailedError("The tour expected a notice, and none came.")
