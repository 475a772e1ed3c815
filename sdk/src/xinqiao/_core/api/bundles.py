"""Bundles: what requests of one purpose usually need, published by the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from xinqiao._core.transport.api_call import call
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import ReadOnlyDict, Serializable
from xinqiao.errors import ConfigurationError

if TYPE_CHECKING:
    from xinqiao._core.evidence.answer import Evidence
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.closed_lists import BundleName

NOT_BOTH: Final = "Name a bundle, or what you ask for: not both."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle(Serializable):
    """A published bundle; `questions` are its tags, each with the value that it is asked with, or None."""

    bundle: BundleName
    title_zh: str
    title_en: str
    purpose: str
    datasets: tuple[str, ...]
    questions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundles(Serializable):
    """The published bundles; one that is published never changes."""

    bundles: tuple[Bundle, ...]
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Bundle]:
        """Iterate over the items."""
        return iter(self.bundles)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.bundles)


def bundles(session: Session) -> Flow[Bundles]:
    """Read the published bundles, by whose names a request may ask for what its purpose usually needs."""
    evidence = yield from call(session, "GET", "/v1/bundles", scope=None)
    found = tuple(_bundle(each) for each in Reader.body(evidence).objects("bundles"))
    return Bundles(bundles=found, evidence=evidence)


def check_alone(bundle: str | None, *beside: Sized) -> None:
    """Refuse a bundle beside what it would stand for."""
    if bundle is not None and any(map(len, beside)):
        raise ConfigurationError(NOT_BOTH)


def _bundle(item: Reader) -> Bundle:
    title = item.object("title")
    return Bundle(
        bundle=cast("BundleName", item.text("bundle")),
        title_zh=title.text("zh"),
        title_en=title.text("en"),
        purpose=item.text("purpose"),
        datasets=item.texts("datasets"),
        questions=ReadOnlyDict(
            {
                each.text("question"): each.optional_text("value")
                for each in item.objects("questions")
            }
        ),
    )
