"""Readers of delivered files: CSV, NDJSON, Parquet and workbooks; headers, encodings, decompression."""
