"""`xinqiao deliver`: delivery of a file of records, and a workbook of the rows that were rejected."""
