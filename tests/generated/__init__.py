"""Sources of the pages and tables that `make docs` writes."""
