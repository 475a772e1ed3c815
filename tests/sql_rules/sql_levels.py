"""Queries of an SQL statement, level by level, as PostgreSQL's own parser reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import pgparse

from gateway.db.distribution import DISTRIBUTED, LOCAL

Node = Mapping[str, Any]
NEVER_NULL: Final = ("p_uscc", "p_client_id")
"""Parameters of functions that every call gives."""
QUERIES: Final = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt")


class Kind(Enum):
    """Kind of relation that a name in FROM stands for."""

    DISTRIBUTED = "distributed table"
    LOCAL = "local table"
    OTHER = "temporary table, common table expression or function"
    SUBQUERY = "sub-select over distributed tables"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter (its number, 0 in a function), or what is never NULL (`None`)."""

    number: int | None


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column, and the name of its relation if it is said."""

    relation: str | None
    column: str


Term = Parameter | ColumnName


@dataclass(slots=True, kw_only=True)
class Level:
    """One SELECT, INSERT, UPDATE or DELETE and what it names directly."""

    type: str
    node: Node
    outer: "Level | None"
    is_lateral: bool = False
    is_condition: bool = False
    """In an expression, not in FROM or WITH."""
    ctes: frozenset[str] = frozenset()
    relations: dict[str, Kind] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    equalities: list[tuple[Term, Term]] = field(default_factory=list)
    has_function: bool = False

    @property
    def target(self) -> str | None:
        """The table that this level changes."""
        found = self.node.get("relation")
        return None if found is None else found["relname"]

    def find(self, term: ColumnName) -> "tuple[Level, str] | None":
        """Origin of a column: the level and the relation's name there."""
        level: Level | None = self
        while level is not None:
            name = term.relation or level._only_relation()
            if name in level.relations:
                return level, name
            level = level.outer
        return None

    def _only_relation(self) -> str | None:
        """The relation that an unqualified column may be of."""
        tables = [name for name, kind in self.relations.items() if kind is Kind.DISTRIBUTED]
        return next(iter(tables or self.relations), None)

    def bound(self) -> set[str]:
        """Relations of this level whose USCC equals a parameter, directly or by way of another."""
        known: set[str] = set()
        while True:
            before = len(known)
            for left, right in self.equalities:
                for one, other in ((left, right), (right, left)):
                    if self._is_uscc_here(one) and self._is_known(other, known):
                        assert isinstance(one, ColumnName)
                        known.add(one.relation or self._only_relation() or "")
            if len(known) == before:
                return known

    def _is_uscc_here(self, term: Term) -> bool:
        if not isinstance(term, ColumnName) or term.column != "uscc":
            return False
        found = self.find(term)
        return found is not None and found[0] is self

    def _is_known(self, term: Term, known: set[str]) -> bool:
        if isinstance(term, Parameter):
            return True
        found = self.find(term)
        if term.column != "uscc" or found is None:
            return False
        level, name = found
        return name in known if level is self else name in level.bound()


def levels_of(sql: str) -> list[Level]:
    """All levels of a statement."""
    found: list[Level] = []
    for each in pgparse.parse(sql):
        _visit(each["stmt"], None, frozenset(), found)
    return found


def nodes(node: object, wanted: str) -> Iterator[Node]:
    """All nodes of this type in a tree."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == wanted:
                yield value
            yield from nodes(value, wanted)
    elif isinstance(node, list):
        for each in node:
            yield from nodes(each, wanted)


def term_of(node: Node) -> Term | None:
    """A column, parameter or constant, casts apart."""
    (kind, value), *_ = node.items()
    if kind == "TypeCast":
        return term_of(value["arg"])
    if kind == "ParamRef":
        return Parameter(value["number"])
    if kind == "A_Const":
        return Parameter(None)
    if kind != "ColumnRef":
        return None
    names = [each["String"]["sval"] for each in value["fields"] if "String" in each]
    if len(names) == 1 and names[0].startswith("p_"):
        return Parameter(None if names[0] in NEVER_NULL else 0)
    return ColumnName(names[-2] if len(names) > 1 else None, names[-1]) if names else None


def _visit(
    node: object,
    outer: Level | None,
    ctes: frozenset[str],
    found: list[Level],
    *,
    is_lateral: bool = False,
    is_condition: bool = False,
) -> None:
    if isinstance(node, list):
        for each in node:
            _visit(each, outer, ctes, found, is_lateral=is_lateral, is_condition=is_condition)
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if key in QUERIES:
            _enter(key, value, outer, ctes, found, is_lateral=is_lateral, is_condition=is_condition)
        elif key == "SubLink":
            _visit(value, outer, ctes, found, is_condition=True)
        else:
            _visit(value, outer, ctes, found, is_lateral=is_lateral, is_condition=is_condition)


def _enter(
    kind: str,
    node: Node,
    outer: Level | None,
    ctes: frozenset[str],
    found: list[Level],
    *,
    is_lateral: bool = False,
    is_condition: bool = False,
) -> None:
    own = [each["CommonTableExpr"] for each in node.get("withClause", {}).get("ctes", [])]
    ctes |= {each["ctename"] for each in own}
    if node.get("op", "SETOP_NONE") != "SETOP_NONE":
        _visit(own, outer, ctes, found)
        for side in ("larg", "rarg"):
            _enter("SelectStmt", node[side], outer, ctes, found, is_condition=is_condition)
        return
    level = Level(
        type=kind,
        node=node,
        outer=outer,
        is_lateral=is_lateral,
        is_condition=is_condition,
        ctes=ctes,
    )
    found.append(level)
    if level.target is not None:
        _name_table(level, node["relation"])
    for each in (*node.get("fromClause", ()), *node.get("usingClause", ())):
        _name(level, each, found)
    for each in own:
        _visit(each["ctequery"], None, ctes, found)
    _note_equalities(level, node.get("whereClause"))
    from_clauses = {"fromClause", "usingClause", "withClause", "relation"}
    for key, value in node.items():
        if key == "selectStmt":
            _visit(value, None, ctes, found)
        elif key not in from_clauses:
            _visit({key: value}, level, ctes, found)


def _name(level: Level, node: Node, found: list[Level]) -> None:
    """Note what an item of FROM names."""
    (kind, value), *_ = node.items()
    if kind == "RangeVar":
        _name_table(level, value)
    elif kind == "JoinExpr":
        before = set(level.relations)
        _name(level, value["larg"], found)
        left = set(level.relations) - before
        _name(level, value["rarg"], found)
        right = set(level.relations) - before - left
        _note_equalities(level, value.get("quals"))
        if value.get("quals"):
            _visit(value["quals"], level, level.ctes, found)
        for each in value.get("usingClause", ()):
            name = each["String"]["sval"]
            level.equalities += [
                (ColumnName(one, name), ColumnName(other, name)) for one in left for other in right
            ]
    elif kind == "RangeFunction":
        level.has_function = True
        level.relations[_alias(value, "function")] = Kind.OTHER
        _visit(value, level, level.ctes, found)
    elif kind == "RangeSubselect":
        first = len(found)
        lateral = bool(value.get("lateral"))
        outer = level if lateral else level.outer
        _visit(value["subquery"], outer, level.ctes, found, is_lateral=lateral)
        has_table = any(Kind.DISTRIBUTED in each.relations.values() for each in found[first:])
        level.relations[_alias(value, "sub-select")] = Kind.SUBQUERY if has_table else Kind.OTHER


def _name_table(level: Level, node: Node) -> None:
    name = node["relname"]
    kind = Kind.OTHER
    if name not in level.ctes and name in DISTRIBUTED | LOCAL:
        kind = Kind.DISTRIBUTED if name in DISTRIBUTED else Kind.LOCAL
        level.tables.append(name)
    level.relations[_alias(node, name)] = kind


def _alias(node: Node, otherwise: str) -> str:
    alias: str = node.get("alias", {}).get("aliasname", otherwise)
    return alias


def _note_equalities(level: Level, condition: Node | None) -> None:
    """Note each `one = other` that a condition demands."""
    if condition is None:
        return
    (kind, value), *_ = condition.items()
    if kind == "BoolExpr" and value["boolop"] == "AND_EXPR":
        for each in value["args"]:
            _note_equalities(level, each)
    elif kind == "A_Expr" and value["kind"] == "AEXPR_OP":
        left, right = term_of(value["lexpr"]) if "lexpr" in value else None, term_of(value["rexpr"])
        if value["name"][-1]["String"]["sval"] == "=" and left and right:
            level.equalities.append((left, right))
