"""`python -m xinqiao`: the same as the command `xinqiao`."""

from .cli import main

main()
