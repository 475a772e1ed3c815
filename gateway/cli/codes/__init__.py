"""Commands `code` and `code-reports`: enterprise codes, and reports on them."""
