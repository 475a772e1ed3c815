"""Verification: yes/no questions about an enterprise and their answers. Pure functions.

The public names of the package; other packages import from here.
"""

from verification.asked_question import (
    Asked,
    as_document,
    asserted_form,
    budget_charges,
    budgets_of,
    elements_of,
    find_question,
    problem_with,
)
from verification.catalogue import CATALOGUE_VERSION, QUESTIONS
from verification.evaluate import Answered, evaluate
from verification.facts import LEGAL_REPRESENTATIVE_ID, STAND_IN, Facts, LiveRecord
from verification.id_numbers import birthday_in, id_check_agrees, id_check_character
from verification.names_v2 import NAMES_V2, is_illegible_v2, loose_readings, strict_name_v2
from verification.normalise import (
    NAMES_VERSION,
    is_illegible,
    loose_name,
    normalise_address,
    normalise_document_number,
    normalise_id_number,
    strict_name,
)
from verification.probe_budget import LIMIT, WINDOW, ProbeAdmission, admit_probes
from verification.question import Question, QuestionKind, Value
from verification.rule_verdict import Answer, Match
from verification.uscc import (
    CodeProblem,
    EnterpriseCode,
    NotACode,
    Uscc,
    check_character,
    enterprise_code,
    is_id_number_too,
    is_market_entity,
    normalise_uscc,
    organisation_check,
    parse_uscc,
)
from verification.watched import is_watchable, next_day, watched_state

__all__ = [
    "CATALOGUE_VERSION",
    "LEGAL_REPRESENTATIVE_ID",
    "LIMIT",
    "NAMES_V2",
    "NAMES_VERSION",
    "QUESTIONS",
    "STAND_IN",
    "WINDOW",
    "Answer",
    "Answered",
    "Asked",
    "CodeProblem",
    "EnterpriseCode",
    "Facts",
    "LiveRecord",
    "Match",
    "NotACode",
    "ProbeAdmission",
    "Question",
    "QuestionKind",
    "Uscc",
    "Value",
    "admit_probes",
    "as_document",
    "asserted_form",
    "birthday_in",
    "budget_charges",
    "budgets_of",
    "check_character",
    "elements_of",
    "enterprise_code",
    "evaluate",
    "find_question",
    "id_check_agrees",
    "id_check_character",
    "is_id_number_too",
    "is_illegible",
    "is_illegible_v2",
    "is_market_entity",
    "is_watchable",
    "loose_name",
    "loose_readings",
    "next_day",
    "normalise_address",
    "normalise_document_number",
    "normalise_id_number",
    "normalise_uscc",
    "organisation_check",
    "parse_uscc",
    "problem_with",
    "strict_name",
    "strict_name_v2",
    "watched_state",
]
