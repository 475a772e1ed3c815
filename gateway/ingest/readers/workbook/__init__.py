"""Excel workbooks as deliveries: vetted first, then read by python-calamine, in a reader process.

calamine holds a whole sheet in memory, with a place for each cell between the first and the last
one; what it would need is therefore computed before (`zip_archive`, `sheet_scan`, `biff_scan`), and
the process has a limit of memory and of CPU time besides (`reader_processes`).
"""
