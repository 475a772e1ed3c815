"""Applications for repair (信用修复): made by the enterprise, decided by the source; platforms that follow.

`lifecycle` is pure; `service` applies it in the caller's transaction.
"""
