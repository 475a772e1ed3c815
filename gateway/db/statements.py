"""SQL statements with `:name` parameters: for one call, and for a set of calls."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson
from sqlalchemy import TextClause

_NAME: Final = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_CAST: Final = re.compile(r"CAST\(:([a-z_][a-z0-9_]*) AS ([a-z]+(?:\[\])?)\)")
_LIST: Final = "[]"
LOCK_MILLISECONDS: Final = 2
"""Wait for a lock in a set, and of a call by itself between sets."""


class Statement(TextClause):
    """SQL with `:name` parameters; `positional` is the same SQL with PostgreSQL's `$1`.

    Where it is run by `HotDatabase` each parameter needs its type: `CAST(:uscc AS text)`.
    """

    inherit_cache = True

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self.sql: Final = sql
        numbers: dict[str, int] = {}

        def place(match: re.Match[str]) -> str:
            return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

        self.positional: Final = _NAME.sub(place, sql)
        self.names: Final = tuple(numbers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetStatement:
    """A statement in two forms: `single` for one call, `many` for a set of calls.

    `many` takes the calls as one JSON array (`calls_json`) and returns, in any order, a row for each call
    that it has carried out: the columns of `single` and `place`, the call's number from 1. A call without
    a row has none if the statement only `reads`, else it is carried out by itself. Calls of the same `key`
    never share a set; `shared` calls of the same values are asked once.
    """

    single: Statement
    many: str
    names: tuple[str, ...]
    documents: tuple[str, ...] = ()
    """Those of the names whose values are JSON texts."""
    key: tuple[str, ...] = ()
    reads: bool = False
    shared: bool = False
    impatient: Statement | None = None
    """`single`, giving up a lock that it is not given soon (55P03)."""

    @classmethod
    def lateral(cls, sql: str, *, shared: bool = False) -> Self:
        """A SELECT that is evaluated for each call of a set by itself.

        Each parameter is written `CAST(:name AS type)`, always with the same type.
        """
        types = _types(sql)
        single = Statement(sql)
        if shared and any(kind.endswith(_LIST) for kind in types.values()):
            raise ValueError("of shared calls no parameter is a list")
        body = _of_columns("call", sql)
        return cls(
            single=single,
            many=f"""SELECT call.place, answer.*
                FROM {calls_as_rows(types)} CROSS JOIN LATERAL ({body}) AS answer""",  # noqa: S608  # constants only
            names=tuple(types),
            documents=_documents(types),
            reads=True,
            shared=shared,
        )

    @classmethod
    def guarded(cls, guard: str, sql: str, *, column: str) -> Self:
        """The SELECT `sql`, evaluated where `column` of another, `guard`, is NULL; and that column.

        The guard gives one row. A set asks it once for all calls with the same values of its parameters.
        """
        # OFFSET keeps the condition inside, so that nothing of `sql` is evaluated where it does not hold.
        body = f"SELECT guarded.* FROM ({sql}) AS guarded WHERE guard.{column} IS NULL OFFSET 0"  # noqa: S608  # constants only
        single = f"""WITH guard AS MATERIALIZED ({guard})
            SELECT guard.{column}, own.* FROM guard LEFT JOIN LATERAL ({body}) AS own ON true"""  # noqa: S608  # constants only
        types, same = _types(single), ", ".join(_types(guard))
        asked = f"(SELECT DISTINCT {same} FROM call) AS asked"  # noqa: S608  # constants only
        return cls(
            single=Statement(single),
            many=f"""WITH call AS MATERIALIZED (SELECT * FROM {calls_as_rows(types)}),
                guard AS MATERIALIZED (
                    SELECT asked.*, found.{column}
                    FROM {asked} CROSS JOIN LATERAL ({_of_columns("asked", guard)}) AS found)
                SELECT call.place, guard.{column}, own.*
                FROM call JOIN guard USING ({same})
                    LEFT JOIN LATERAL ({_of_columns("call", body)}) AS own ON true""",  # noqa: S608  # constants only
            names=tuple(types),
            documents=_documents(types),
            reads=True,
        )

    @classmethod
    def function(cls, name: str, parameters: Mapping[str, str], *, key: tuple[str, ...]) -> Self:
        """A function of these parameters and types, and `name`_calls, which takes the calls as JSON.

        The first returns one value, `result`; the second a table of `place` and `result`, without the
        calls that wait for a lock.
        """
        one = ", ".join(f"CAST(:{each} AS {kind})" for each, kind in parameters.items())
        limit = f"set_config('lock_timeout', '{LOCK_MILLISECONDS}', true)"
        return cls(
            single=Statement(f"SELECT {name}({one}) AS result"),
            impatient=Statement(f"SELECT {limit}, {name}({one}) AS result"),
            many=f"SELECT place, result FROM {name}_calls(CAST($1 AS json))",  # noqa: S608  # constants only
            names=tuple(parameters),
            documents=_documents(parameters),
            key=key,
        )

    @classmethod
    def array_function(cls, name: str, parameters: Mapping[str, str]) -> Self:
        """A function that takes an array for each parameter and carries out all calls, or none.

        It returns an array of results, in the order of the calls.
        """
        one = ", ".join(f"ARRAY[CAST(:{each} AS {kind})]" for each, kind in parameters.items())
        arrays = ", ".join(f"array_agg(call.{each})" for each in parameters)
        calls = f"(SELECT * FROM {calls_as_rows(parameters)} ORDER BY place)"  # noqa: S608  # constants only
        return cls(
            single=Statement(f"SELECT ({name}({one}))[1] AS result"),
            many=f"""SELECT told.place, told.result
                FROM unnest((SELECT {name}({arrays}) FROM {calls} AS call))
                    WITH ORDINALITY AS told(result, place)""",  # noqa: S608  # constants only
            names=tuple(parameters),
            documents=_documents(parameters),
        )

    def calls_json(self, calls: Iterable[Mapping[str, Any]]) -> str:
        """The argument of `many`, in a fifth of the time of an array for each name.

        Raises `ValueError` for a value that JSON cannot hold.
        """
        rows = [self._with_documents(each) for each in calls] if self.documents else list(calls)
        try:
            return orjson.dumps(rows, default=_bytea).decode()
        except orjson.JSONEncodeError as error:
            raise ValueError(str(error)) from None

    def _with_documents(self, call: Mapping[str, Any]) -> dict[str, Any]:
        given = ((name, call[name]) for name in self.documents)
        return {**call, **{name: orjson.Fragment(text) for name, text in given if text is not None}}


def calls_as_rows(types: Mapping[str, str]) -> str:
    """SQL of the table `call`, for FROM: a column for each parameter and `place`, from `calls_json`."""
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    rows = f"ROWS FROM (json_to_recordset(CAST($1 AS json)) AS ({columns}))"
    return f"{rows} WITH ORDINALITY AS call({', '.join(types)}, place)"


def _of_columns(table: str, sql: str) -> str:
    """The SQL with a column of `table` for each parameter."""
    return _NAME.sub(rf"{table}.\1", sql)


def _types(sql: str) -> dict[str, str]:
    """The type of each parameter, which is written `CAST(:name AS type)`."""
    types = dict(_CAST.findall(sql))
    if set(types) != set(_NAME.findall(sql)):
        raise ValueError("each parameter needs its type")
    return types


def _documents(types: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, kind in types.items() if kind == "jsonb")


def _bytea(value: object) -> str:
    """PostgreSQL's text of a bytea (manual, 8.4.1)."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError
