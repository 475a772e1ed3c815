"""Of whom a call speaks: an enterprise, by its code. A person's number is never taken for one.

One in thirty-one personal ID numbers passes the check of GB 32100 by chance; taken for a code, it
would stand in the log and in the answer.
"""

from gateway.access.errors import InvalidUsccError
from gateway.creditfile.free_text import scan
from verification import NotACode, Uscc, is_market_entity, parse_uscc


def subject_of(text: str) -> Uscc | InvalidUsccError:
    """The code in `text`, in its normal form, or the error that it is none."""
    code = parse_uscc(text)
    if isinstance(code, NotACode):
        return InvalidUsccError()
    if not is_market_entity(code) and scan(code).id_numbers:
        return InvalidUsccError()
    return code
