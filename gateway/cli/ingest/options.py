"""Options of `ingest`, checked against catalogue, client and agreement."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

from gateway.admin.operators import Operator
from gateway.cli.exit import fail
from gateway.cli.operator_session import current_operator, parse_id, plain_errors, query
from gateway.creditfile.catalogue.versions import in_force
from gateway.ingest.config import IngestConfig
from gateway.ingest.readers.column_map import load_column_map
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.file_formats import FILE_FORMATS, format_of_name
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.text_encoding import ENCODINGS, DeclaredEncoding
from gateway.ingest.row_lists.wording import RowWording
from gateway.ingest.source_authorization import NotASource, source_of
from gateway.privacy.field_encryption import VaultKeys, VaultKeysError
from gateway.settings import DatabaseSettings, IntakeSettings, SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """Options common to all files of one command."""

    settings: DatabaseSettings
    operator: Operator
    config: IngestConfig
    format: str | None
    rejects: Path | None
    again: bool

    def with_columns(self, path: Path | None, sheet: str | None, *, ignore_unknown: bool) -> Self:
        """The options with the department's own columns, checked against the catalogue, and sheet."""
        config = self.config
        try:
            columns = {} if path is None else load_column_map(path)
            HeaderReader(config.catalogue, config.dataset, columns)
        except FileRefused as refused:
            fail(str(refused))
        own = replace(config, columns=columns, ignore_unknown=ignore_unknown, sheet=sheet)
        return replace(self, config=own)

    def format_of(self, path: Path) -> str:
        """File format, as given or by the file's name."""
        found = self.format or format_of_name(path.name)
        if found is None:
            raise FileRefused(
                "The name does not say what the file is; say --format.",
                "文件名未表明格式：请指定 --format。",
            )
        return found

    def rejects_of(self, path: Path) -> Path:
        """Path of the file's list of rejected rows."""
        folder = path.parent if self.rejects is None else self.rejects
        return folder / f"{path.name}.{self.config.dataset}.rejects.csv"

    def warnings_of(self, path: Path) -> Path:
        """Path of the file's list of warnings."""
        return self.rejects_of(path).with_suffix("").with_suffix(".warnings.csv")

    @property
    def wording(self) -> RowWording:
        """Words of the lists, in English as the command's own."""
        return RowWording(self.config.catalogue, self.config.dataset, "en")


def parse_options(
    client_id: str,
    dataset: str,
    encoding: str,
    file_format: str | None,
    rejects: Path | None,
    chunk_rows: int,
    *,
    again: bool,
) -> IngestOptions:
    """The command's options, checked against catalogue, client and agreement."""
    known: DeclaredEncoding | None = next((each for each in ENCODINGS if each == encoding), None)
    if known is None:
        fail("--encoding is utf-8, gb18030 or auto.")
    if file_format not in (None, *FILE_FORMATS):
        fail(f"--format is one of {', '.join(FILE_FORMATS)}.")
    with plain_errors():
        operator, settings = current_operator(), IntakeSettings.from_env()
        keys = _vault_keys(settings)
        catalogue = query(in_force)
        if dataset not in catalogue.codes:
            fail(f"The catalogue has no dataset {dataset}; it has {', '.join(catalogue.codes)}.")
        try:
            known_id, now = parse_id(client_id), datetime.now(UTC)
            source = query(partial(source_of, client_id=known_id, dataset=dataset, now=now))
        except NotASource as error:
            fail(str(error))
    return IngestOptions(
        settings=settings,
        operator=operator,
        config=IngestConfig(
            source=source,
            dataset=dataset,
            catalogue=catalogue,
            vault_keys=keys,
            encoding=known,
            chunk_rows=chunk_rows,
        ),
        format=file_format,
        rejects=rejects,
        again=again,
    )


def _vault_keys(settings: IntakeSettings) -> str:
    try:
        text = settings.vault_keys.read_text(encoding="utf-8")
        VaultKeys.parse(text)
    except (OSError, UnicodeDecodeError, VaultKeysError):
        raise SettingsError(
            f"XINQIAO_VAULT_KEYS names {settings.vault_keys}, which cannot be read as a file of "
            "vault keys: it must be the gateway's own."
        ) from None
    return text
