"""Documentation pages under test: their blocks are run, their outlines compared."""
