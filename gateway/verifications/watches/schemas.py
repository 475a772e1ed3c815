"""Request and response models of `/v1/watches`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.access.http.body import WireModel
from gateway.access.named_bundle import either_bundle_or
from gateway.access.serializers.timestamps import format_time
from gateway.clients.agreements import Agreement
from gateway.creditfile.watches.lists import WatchList

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
MAX_WATCHED_QUESTIONS = 20
MAX_CODE_LENGTH = 64
WatchStatus = Literal["watching", "not_in_agreement"]


class WatchIn(WireModel):
    """A whole list: it takes the place of the one before."""

    model_config = either_bundle_or("questions")

    purpose: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["merchant_review"])
    bundle: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None,
        description="In place of `questions`: those of the bundle that need no consent and that the "
        "agreement covers; the answer names them.",
        examples=["review.v1"],
    )
    questions: (
        Annotated[
            list[Annotated[str, StringConstraints(max_length=64)]],
            Field(min_length=1, max_length=MAX_WATCHED_QUESTIONS),
        ]
        | None
    ) = Field(default=None, examples=[["is_active.v1", "no_live_penalty.v1"]])
    enterprises: Annotated[
        list[Annotated[str, StringConstraints(max_length=MAX_CODE_LENGTH)]], Field(min_length=1)
    ] = Field(examples=[["91330106MAHD08319M"]])


class WatchListOut(WireModel):
    """A list without its enterprises."""

    name: str
    purpose: str
    questions: list[str]
    count: int = Field(description="How many enterprises it names.")
    status: WatchStatus = Field(
        description="`not_in_agreement`: the agreement covers its purpose or a question no more, and "
        "nothing is told."
    )
    created_at: str
    replaced_at: str

    @classmethod
    def of(cls, held: WatchList, agreement: Agreement) -> "WatchListOut":
        """The wire form of a list under the agreement in force."""
        missing = agreement.missing(purpose=held.purpose, questions=held.questions)
        return cls(
            name=held.name,
            purpose=held.purpose,
            questions=[*held.questions],
            count=held.enterprises,
            status="not_in_agreement" if missing else "watching",
            created_at=format_time(held.created_at),
            replaced_at=format_time(held.replaced_at),
        )


class WholeWatchListOut(WatchListOut):
    """A list with its enterprises."""

    enterprises: list[str]


class WatchListsOut(WireModel):
    """The lists of a client, by name."""

    watches: list[WatchListOut]
