"""Schema upgrade by Alembic; safe to repeat and to run concurrently."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from gateway.db.unavailable import LOCK_NOT_AVAILABLE, sqlstate_of


class TableInUseError(Exception):
    """A table that has to be changed was in use; nothing was changed, and upgrading again is safe."""


class LaterReleaseError(Exception):
    """The database is at a revision that this release does not know; nothing was changed."""


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at `url`, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config


def is_behind(revision: str) -> bool:
    """True where this release has a later revision; false of one that it does not know."""
    scripts = ScriptDirectory.from_config(alembic_config(""))
    known = {each.revision for each in scripts.walk_revisions()}
    return revision in known - set(scripts.get_heads())


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; raises `TableInUseError`, `LaterReleaseError`."""
    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise LaterReleaseError(
            "The database was upgraded by a later release than this one: nothing was changed. Install "
            "that release, or a later one."
        ) from None
    except DBAPIError as error:
        if sqlstate_of(error) != LOCK_NOT_AVAILABLE:
            raise
        raise TableInUseError(
            "Another session has held a table for longer than 5 seconds that the upgrade has to "
            "change: nothing was changed. End what holds it (pg_stat_activity), or wait for it; then "
            "run `xinqiao-gateway db upgrade` again."
        ) from None
