"""Shared fixtures: a PostgreSQL for each test process, one whole gateway, and the option `--alone`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import make_engine
from tests.databases import make_server, new_database
from tests.sampling import sampled

if TYPE_CHECKING:
    from tests.gateway_fixture import GatewayFixture
    from tests.oauth_builders import OAuthFixture
    from tests.portal_fixture import PortalFixture

FOLDER: Final = Path(__file__).parent
LONGEST_FIRST: Final = (
    "fuzz", "faults", "browser", "node", "contract", "attacks", "properties", "api", "unit",
)  # fmt: skip

# A busy machine is slow, and that is no finding.
settings.register_profile(
    "xinqiao",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=sampled(50, full=100),
)
settings.load_profile("xinqiao")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that selects the tests of each run of `make test`."""
    parser.addoption(
        "--alone",
        choices=("only", "not"),
        help="run only the tests that are marked `alone`, or only the others",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip files without the mark `alone` when only those tests run."""
    of_interest = config.getoption("alone") != "only" or collection_path.suffix != ".py"
    return None if of_interest or "mark.alone" in collection_path.read_text() else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select this run's tests and order them by folder, longest files first."""
    items.sort(key=lambda each: LONGEST_FIRST.index(each.path.relative_to(FOLDER).parts[0]))
    kept = config.getoption("alone")
    if kept:
        wanted = kept == "only"
        items[:] = [each for each in items if bool(each.get_closest_marker("alone")) is wanted]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database on this process's server; `new_database` creates others there."""
    with make_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_url(postgres_url: str) -> str:
    """URL of a migrated database."""
    return asyncio.run(new_database(postgres_url))


@pytest_asyncio.fixture
async def engine(migrated_url: str) -> AsyncIterator[AsyncEngine]:
    """Engine on the migrated database, bound to the test's event loop."""
    made = make_engine(migrated_url, pool_size=5)
    yield made
    await made.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(postgres_url: str) -> "AsyncIterator[GatewayFixture]":
    """The session's gateway, shared by tests that create their own clients and consents."""
    from tests.gateway_fixture import open_gateway

    async with open_gateway(postgres_url) as made:
        yield made


@pytest.fixture(scope="session")
def served(gateway: "GatewayFixture") -> "Iterator[GatewayFixture]":
    """The same gateway, with a second worker listening at its issuer's address."""
    from gateway.app import create_app
    from tests.gateway_fixture import Server

    with Server(create_app(gateway.settings)).listening_on(gateway.listening):
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def forget_deliveries(gateway: "GatewayFixture") -> AsyncIterator[None]:
    """Delete the records that a test has delivered to the session's gateway."""
    from tests.records_builders import forget

    yield
    await forget(gateway)


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> "AsyncIterator[PortalFixture]":
    """A running portal, at noon of 22 November 2026."""
    from tests.portal_fixture import open_portal

    async with open_portal(migrated_url, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def oauth(migrated_url: str, tmp_path: Path) -> "AsyncIterator[OAuthFixture]":
    """A running authorization server."""
    from tests.oauth_builders import open_oauth

    async with open_oauth(migrated_url, tmp_path) as made:
        yield made
