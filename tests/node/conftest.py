"""Node.js for the tests of this folder, with the packages that the lock names."""

import pytest

from tests.node.programs import Node, NodeMissingError, install


@pytest.fixture(scope="session")
def node() -> Node:
    """A Node.js with the packages installed; where it cannot be had, the tests are skipped."""
    try:
        return install()
    except NodeMissingError as missing:
        pytest.skip(str(missing))
