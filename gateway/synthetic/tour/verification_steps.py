"""Who asks without consent: the first call, and a platform's questions about public facts."""

from collections.abc import Iterable
from typing import Final

from rich.table import Table
from rich.text import Text

from gateway.synthetic.tour.context import BY_PLATFORM, TourContext, require
from xinqiao import Verification

ANSWER_MARKS: Final = {
    "yes": "[green]是 yes[/]",
    "no": "[red]否 no[/]",
    "not_determined": "[yellow]无法确定 n/d[/]",
}


async def tokens(stage: TourContext) -> None:
    """The bank's first call makes a client assertion and a DPoP proof, and gets a token by them."""
    questions = await stage.bank.questions()
    stage.saw(questions.evidence)
    stage.say(
        f"{stage.bank.client_id}: private_key_jwt assertion + DPoP proof → a token bound to its key",
    )
    stage.say(
        f"first call: {len(questions.questions)} questions in catalogue {questions.catalogue_version}",
    )


async def verifications(stage: TourContext) -> None:
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
            require(
                answer[tag].answer == expected, f"{tag} was {answer[tag].answer}, not {expected}"
            )


def _show_answers(
    stage: TourContext, answer: Verification, asked: Iterable[tuple[str, str | None, str]]
) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=18)
    table.add_column(no_wrap=True)
    for tag, value, _ in asked:
        table.add_row("   ", tag, Text(value or "—"), ANSWER_MARKS[answer[tag].answer])
    stage.console.print(table)
