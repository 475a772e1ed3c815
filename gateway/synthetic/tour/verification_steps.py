"""Tour steps without consent: the first access token, and verifications of public facts."""

from collections.abc import Iterable, Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from gateway.synthetic.tour.context import BY_PLATFORM, TourContext, require
from xinqiao import QuestionTag, QuestionValue, Verification, three_elements

ANSWER_MARKS: Final = {
    "yes": "[green]是 yes[/]",
    "no": "[red]否 no[/]",
    "not_determined": "[yellow]无法确定 n/d[/]",
}


async def tokens(context: TourContext) -> None:
    """The bank gets an access token by client assertion and DPoP proof, and lists the questions."""
    questions = await context.bank.questions()
    context.count_signed(questions.evidence)
    context.print_line(
        f"{context.bank.client_id}: private_key_jwt assertion + DPoP proof → a token bound to its key"
    )
    context.print_line(
        f"first call: {len(questions.questions)} questions in catalogue {questions.catalogue_version}"
    )


async def verifications(context: TourContext) -> None:
    """A platform verifies a clean enterprise and one listed for serious violations."""
    for traits, serious in ((("clean",), "yes"), (("serious_violation",), "no")):
        subject = context.subject(*traits)
        group, elements = three_elements(
            name=subject["name"], legal_representative=subject["legal_representative"]
        )
        asked: tuple[tuple[QuestionTag, QuestionValue, str], ...] = (
            ("enterprise_name.v1", subject["name"], "yes"),
            (group, elements, "yes"),
            ("is_active.v1", None, "yes"),
            ("legal_representative_name.v1", "不是本人", "no"),
            ("rating_at_least.v1", "良好", "not_determined"),
            ("not_on_serious_violation_list.v1", None, serious),
            ("not_on_any_serious_list.v1", None, serious),
        )
        answer = await context.platform.verify(
            subject["uscc"],
            purpose=BY_PLATFORM,
            questions=[(tag, value) for tag, value, _ in asked],
        )
        context.count_signed(answer.evidence)
        context.print_line(f"[bold]{subject['name']}[/] {subject['uscc']}")
        _show_answers(context, answer, asked)
        for tag, _, expected in asked:
            require(
                answer[tag].answer == expected, f"{tag} was {answer[tag].answer}, not {expected}"
            )


def _show_answers(
    context: TourContext,
    answer: Verification,
    asked: Iterable[tuple[str, str | Mapping[str, str] | None, str]],
) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for tag, value, _ in asked:
        shown = "、".join(value.values()) if isinstance(value, Mapping) else value or "—"
        table.add_row("   ", tag, Text(shown), ANSWER_MARKS[answer[tag].answer])
    context.console.print(table)
