"""Merge of validated rows into records: COPY into staging tables, then one statement for each step."""
