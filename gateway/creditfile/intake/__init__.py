"""Intake: each delivered row is judged by itself, and what is taken is taken whole or not at all.

`judging` is pure; `taking` puts a batch into the caller's transaction.
"""

from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.taking import take
from gateway.creditfile.intake.verdicts import Outcome, Source, Taken, Warned

__all__ = ["Judge", "Outcome", "Source", "Taken", "Warned", "take"]
