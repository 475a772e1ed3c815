"""PostgreSQL: engines, prepared statements, advisory locks, error classes, the embedded server."""
