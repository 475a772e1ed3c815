"""Route `GET /v1/bundles`: the published bundles."""

from functools import cache

from fastapi import Request, Response

from consent.model import Bilingual
from gateway.access.http.body import WireModel
from gateway.access.http.query_parameters import check_query_parameters
from gateway.clients.bundles import PUBLISHED, Bundle
from gateway.db.engine import to_json
from gateway.prefix_router import PrefixRouter

router = PrefixRouter(prefix="/v1", tags=["consents"])


class TitleOut(WireModel):
    """A title in Chinese and in English."""

    zh: str
    en: str


class BundledQuestionOut(WireModel):
    """A question of a bundle, with the value that it is asked with, if it takes one."""

    question: str
    value: str | None = None


class BundleOut(WireModel):
    """A bundle: what requests of one purpose usually need."""

    bundle: str
    title: TitleOut
    purpose: str
    datasets: list[str]
    questions: list[BundledQuestionOut]


class BundlesOut(WireModel):
    """The published bundles; one that is published never changes."""

    bundles: list[BundleOut]


@router.get("/bundles", response_model=BundlesOut)
async def list_bundles(request: Request) -> Response:
    """The published bundles, by which a request may name what its purpose usually needs."""
    check_query_parameters(request)
    return Response(_published(), media_type="application/json")


@cache
def _published() -> str:
    published = BundlesOut(bundles=[described(each) for each in PUBLISHED])
    return to_json(published.model_dump(exclude_none=True))


def described(bundle: Bundle) -> BundleOut:
    """A bundle in its wire form."""
    return BundleOut(
        bundle=bundle.name,
        title=_title(bundle.title),
        purpose=bundle.purpose.value,
        datasets=list(bundle.datasets),
        questions=[
            BundledQuestionOut(question=each.tag, value=each.value) for each in bundle.questions
        ],
    )


def _title(title: Bilingual) -> TitleOut:
    return TitleOut(zh=title.zh, en=title.en)
