"""Lint check of test file names: what it reports and what it accepts."""

from pathlib import Path

import pytest

from tests.lint.file_names import misnamed
from tests.parts import part_of


@pytest.mark.parametrize("name", ["test_limits.py", "test_throttling_redis.py", "test_Limits_x.py"])
def test_a_name_without_a_part_is_reported(name: str) -> None:
    """No subject, an unknown part, another case."""
    assert list(misnamed([Path(name)])) == [Path(name)]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("test_limits_redis.py", "limits"),
        ("test_strict_json_reader.py", "strict_json"),
        ("test_retention_proof.py", "retention"),
        ("test_verifications_request.py", "verifications"),
        ("test_deploy_backup_restore.py", "deploy"),
    ],
)
def test_a_part_is_a_package_a_module_or_one_of_the_others(name: str, part: str) -> None:
    """A package at any depth, a module at the gateway's top, or a listed name."""
    assert part_of(Path(name)) == part
