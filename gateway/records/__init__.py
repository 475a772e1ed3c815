"""HTTP API of sources (数源单位): deliver records, act on them, upload files, decide objections."""
