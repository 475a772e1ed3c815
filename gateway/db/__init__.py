"""PostgreSQL, in every mode: the engine, prepared statements, and the embedded server."""
