"""`python -m xinqiao` is the command `xinqiao`."""

from .cli import main

main()
