"""Objections (异议) and rating appeals: raised by the enterprise, decided by the source, reviewed once.

`lifecycle` is pure; `service` applies it in the caller's transaction.
"""
