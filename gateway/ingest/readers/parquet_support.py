"""Parquet support, the optional extra `[parquet]`: pyarrow is imported with the first Parquet file.

It takes longer to import than all else together, and a gateway whose sources deliver text does
without its 170 MB.
"""

from importlib.util import find_spec
from typing import Final

from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.row_reader import RowReader

NOT_INSTALLED: Final = (
    "This gateway reads no Parquet files: deliver CSV or NDJSON, or have xinqiao-gateway[parquet] installed.",
    "本网关不能读取 Parquet 文件：请报送 CSV 或 NDJSON，或请运营方安装 xinqiao-gateway[parquet]。",
)


def is_installed() -> bool:
    """True if pyarrow can be imported."""
    return find_spec("pyarrow") is not None


def read_parquet(source: DecompressedFile, header: HeaderReader) -> RowReader:
    """The rows in the file's order. Raises `FileRefused`, without the extra as well."""
    if not is_installed():
        raise FileRefused(*NOT_INSTALLED)
    from gateway.ingest.readers import parquet_reader  # noqa: PLC0415  # see above

    return parquet_reader.read_parquet(source, header)
