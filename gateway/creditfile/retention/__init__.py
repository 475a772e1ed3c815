"""Retention: deletion of bad information after its term, with signed proofs of deletion.

`expired_records` finds what is due, `delete` deletes it in small transactions, `daily_run` runs
once a day, `deletion_proof` is pure.
"""
