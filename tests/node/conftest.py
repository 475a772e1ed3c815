"""Fixture: Node.js with the locked packages."""

import pytest

from tests.node.programs import Node, NodeMissingError, install


@pytest.fixture(scope="session")
def node() -> Node:
    """Node.js with the packages installed; otherwise the tests are skipped."""
    try:
        return install()
    except NodeMissingError as missing:
        pytest.skip(str(missing))
