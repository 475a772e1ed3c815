"""Entry point of `xinqiao-gateway`: commands, and errors as one sentence."""

from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.exit import fail, file_sentence
from gateway.cli.lazy_command import CommandSource, lazy_group

COMMANDS: Final = {
    name: CommandSource(f"gateway.cli.{place}", summary)
    for name, place, summary in (
        (
            "tombstones",
            "withdrawal_notices:unacknowledged",
            "Show the notices (撤回通知) that clients have not acknowledged, oldest first.",
        ),
        (
            "ingest",
            "ingest.command:ingest_files",
            "Take files of a source's records. Run it again after a failure: it goes on where it was.",
        ),
        (
            "serve",
            "serve:serve",
            "Serve with the settings in XINQIAO_… (see the documentation); TLS is the proxy's.",
        ),
        (
            "synth",
            "synth:synth",
            "Write a synthetic province as files that `ingest` takes, in constant memory.",
        ),
        (
            "compare",
            "compare:compare",
            "Compare two sources: what is missing, different, late, or wrong in its end of publicity.",
        ),
        (
            "quality",
            "quality:app",
            "Data quality of sources, and its monthly bulletin (数据质量通报).",
        ),
        ("keys", "keys:app", "Signing keys and the keys of personal data."),
        ("log", "log:app", "The signed log and its checkpoints."),
        ("client", "clients:app", "Registered clients (接入方)."),
        ("agreement", "agreements:app", "What each client may do (数字合约)."),
        ("catalogue", "catalogue:app", "The catalogue of datasets and fields (信用信息目录)."),
        ("personal", "personal_keys:app", "The keys of personal data at rest."),
        ("record", "records.commands:app", "Credit records (信用记录)."),
        ("code", "codes.commands:app", "Enterprise codes (企业码)."),
        ("objections", "objections:app", "Objections (异议) and rating appeals."),
        ("repairs", "repairs:app", "Applications for repair (信用修复)."),
        (
            "code-reports",
            "codes.reports:app",
            "Reports that a code does not fit (反映企业码与店铺不符), and codes scanned unusually often.",
        ),
        (
            "anomalies",
            "anomalies:app",
            "Unusual patterns in what clients ask (异常访问), and rates that they lower.",
        ),
        ("retention", "retention:app", "Deletion of records past their retention period."),
    )
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Xinqiao (信桥): the gateway's own command.",
)
db = typer.Typer(no_args_is_help=True, help="The database's schema.")
app.add_typer(db, name="db")


@app.command()
def demo(
    state: Annotated[Path, typer.Option(help="The demo's own folder; made if missing.")] = Path(
        ".demo"
    ),
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Loopback port; kept in the folder.")
    ] = None,
    entities: Annotated[
        int, typer.Option(min=200, help="How many enterprises the province has.")
    ] = 10_000,
    once: Annotated[bool, typer.Option("--once", help="Take the tour, and end after it.")] = False,
    tour: Annotated[
        bool, typer.Option("--tour", help="Take the tour again; at the first start it is taken.")
    ] = False,
) -> None:
    """Build a synthetic province, serve it, take the tour the first time, and go on serving."""
    from rich.console import Console

    from gateway.synthetic.demo.command import DemoOptions, run_demo
    from gateway.synthetic.demo.state import StateError

    try:
        options = DemoOptions(folder=state, port=port, entities=entities, once=once, tour=tour)
        run_demo(options, Console())
    except StateError as error:
        fail(str(error))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database at XINQIAO_DATABASE_URL to the newest schema; safe to repeat."""
    from gateway.cli.operator_session import query
    from gateway.creditfile.natural_key_version import keys_are_current
    from gateway.migrations.run import LaterReleaseError, TableInUseError, upgrade
    from gateway.settings import DatabaseSettings

    try:
        upgrade(DatabaseSettings.from_env().database_url)
    except (TableInUseError, LaterReleaseError) as error:
        fail(str(error))
    print("The schema is up to date.")
    if not query(keys_are_current):
        print(
            "No records are taken until the keys of those that are held are folded anew: "
            "run `xinqiao-gateway record refold`."
        )


@db.command("distribute")
def db_distribute() -> None:
    """Distribute the tables over the Citus cluster at XINQIAO_DATABASE_URL; safe to repeat."""
    from gateway.cli.operator_session import query
    from gateway.db.distribute import NoClusterError, distribute

    try:
        tables = query(distribute)
    except NoClusterError:
        fail("The database has no Citus, so there is nothing to distribute.")
    print(f"Tables distributed: {', '.join(tables) or 'none, all were'}.")


def main() -> None:
    """Run the command; expected errors are one sentence, not a traceback."""
    try:
        app()
    except Exception as error:
        sentence = _sentence_on(error)
        if sentence is None:
            raise
        fail(sentence)


def _sentence_on(error: Exception) -> str | None:
    from gateway.db.unavailable import is_unavailable, name_of
    from gateway.settings import SettingsError

    if isinstance(error, SettingsError):
        return str(error)
    if (sentence := file_sentence(error)) is not None:
        return sentence
    if is_unavailable(error):
        return f"The database at XINQIAO_DATABASE_URL did not do it ({name_of(error)})."
    return None
