"""What to change inside the string constants of one text."""

from collections.abc import Callable, Iterable, Mapping

from pglast.parser import ParseError

from collec_migrations.scripts import assembly, bodies, hiding, literals, loose, statements
from collec_migrations.scripts.assembly import Assembled
from collec_migrations.scripts.hiding import Use
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.rules import Binder, Mode, Scope, UnprovableError
from collec_migrations.scripts.tokens import Token
from collec_migrations.scripts.trees import Place

Finder = Callable[[str, Mapping[str, str]], list[Edit]]

_SCHEMAS: Mapping[Use, Finder] = {
    Use.NAME: loose.whole,
    Use.PATTERN: loose.pattern,
    Use.IDENTIFIER: loose.identifiers,
    Use.QUALIFIED: loose.qualifiers,
    Use.PATH: loose.identifiers,
}
_ROLES: Mapping[Use, Finder] = {Use.ROLE: loose.whole, Use.ROLE_IDENTIFIER: loose.identifiers}
_STRINGS = frozenset({("CreateTrigStmt", "args"), ("DefElem", "arg")})
"""Strings that are no constants of an expression and may still name a schema."""


class Constants:
    """The string constants of one text, by their marks, and the edits of their values."""

    def __init__(
        self, marks: Mapping[str, Token], places: Iterable[Place], scope: Scope, binder: Binder
    ) -> None:
        self.tokens = {mark: token for mark, token in marks.items() if token.is_literal}
        self.values = {mark: literals.value(token) for mark, token in self.tokens.items()}
        self.marks = {id(place.owner): place.text for place in places}
        self.scope = scope
        self.binder = binder
        self.edits: dict[str, list[Edit]] = {}
        self._roots: dict[int, frozenset[str]] = {}

    def visit(self, place: Place) -> None:
        """Find what to change in the constant at a place of the tree."""
        mark = place.text
        if mark in self.edits:
            return
        language = bodies.language(place.at)
        if language is not None:
            self.edits[mark] = self._body(mark, place, language)
        elif not place.constant:
            self._settle(mark, Use.UNKNOWN if place.at.slot in _STRINGS else Use.DATA)
        else:
            self._expression(mark, place)

    def _expression(self, mark: str, place: Place) -> None:
        """Find what to change in a constant of an expression."""
        top, above = assembly.root(place.at)
        if top is None:
            self._settle(mark, hiding.use(place.at, self.scope.shadows))
            return
        if id(top) not in self._roots:
            self._roots[id(top)] = frozenset()
            assembled = assembly.assemble(top, self.marks)
            self._roots[id(top)] = assembled.constants
            known = hiding.use(above) in (Use.DATA, Use.COMPARED)
            runs = assembled.formatted or self.scope.mode is not Mode.PLAIN
            self._assembled(assembled, Use.DATA if known else Use.UNKNOWN, tried=runs and not known)
        if mark not in self._roots[id(top)]:
            self._doubt(mark, Use.UNKNOWN)

    def _settle(self, mark: str, use: Use) -> None:
        """Find what to change in a constant whose use is known."""
        value = self.values[mark]
        if use in _SCHEMAS:
            self.edits[mark] = _SCHEMAS[use](value, self.scope.rules.schemas)
            if not self.edits[mark] and use in (Use.NAME, Use.PATTERN):
                self._doubt(mark, Use.MENTION)
        elif use in _ROLES:
            self.edits[mark] = _ROLES[use](value, self.scope.rules.roles)
        elif use is Use.SETTING:
            found = loose.whole(value, self.scope.rules.schemas)
            self.edits[mark] = found or loose.identifiers(value, self.scope.rules.schemas)
        elif use is Use.QUERY or (use is Use.UNKNOWN and self.scope.mode is not Mode.PLAIN):
            self._assembled(assembly.single(mark, value), Use.UNKNOWN, tried=True)
        else:
            self._doubt(mark, use)

    def _assembled(self, assembled: Assembled, use: Use, *, tried: bool) -> None:
        """Bind SQL that an expression puts together, or say what is in doubt."""
        for attempt in assembled.attempts() if tried else ():
            scope = self._scope_of(attempt)
            try:
                bound = self.binder(attempt.text, scope, holes=frozenset(attempt.holes))
                found = attempt.lift(bound.edits)
            except (ParseError, UnprovableError):
                continue
            self.scope.doubts.extend(scope.doubts)
            for mark, edits in found.items():
                self.edits[mark] = list(dict.fromkeys([*self.edits.get(mark, ()), *edits]))
            for hole, used in bound.holes.items():
                filler = attempt.holes[hole]
                if filler in self.values and filler not in self.edits:
                    self._settle(filler, used)
            return
        for mark in sorted(assembled.constants & self.values.keys()):
            self._doubt(mark, use)

    def _scope_of(self, attempt: assembly.Attempt) -> Scope:
        def locate(offset: int) -> int:
            mark, inside = attempt.origin(offset)
            return self._line(mark, inside)

        return Scope(self.scope.rules, locate, [])

    def _doubt(self, mark: str, use: Use) -> None:
        """Keep the doubt about a constant that names a schema, or do what was decided."""
        value = self.values[mark]
        find = loose.mentions if use is Use.MENTION else loose.suspects
        self.edits.setdefault(mark, [])
        if self._is_certain(value, use):
            return
        found = find(value, self.scope.rules.schemas)
        if not found:
            return
        reason = "SQL kept as data" if use is Use.DATA else "may name a schema"
        if self.scope.decide(self.tokens[mark].start, value, reason):
            self.edits[mark] = found

    def _is_certain(self, value: str, use: Use) -> bool:
        """Whether a value that mentions a name is nothing but data."""
        if use is Use.COMPARED:
            return value in self.scope.rules.schemas or " " in value
        return use is Use.DATA and not self._is_sql(value)

    def _is_sql(self, value: str) -> bool:
        """Whether a value is a statement that names a schema."""
        aside = Scope(self.scope.rules, lambda _: 0, [])
        try:
            statements.check(value)
            return bool(self.binder(value, aside).edits)
        except (ParseError, UnprovableError):
            return False

    def _line(self, mark: str, offset: int) -> int:
        """Return the line of the script for an offset in a constant's value."""
        return self.scope.locate(self._outer(mark, offset))

    def _outer(self, mark: str, offset: int) -> int:
        """Return the offset in the text for one in a constant's value."""
        token = self.tokens[mark]
        literal = literals.read(token)
        if literal is None or not literal.spans:
            return token.start
        return token.start + literal.spans[min(offset, len(literal.spans) - 1)][0]

    def _body(self, mark: str, place: Place, language: str) -> list[Edit]:
        """Return the edits of the body of a function or of DO."""
        value = self.values[mark]
        scope = bodies.inner(self.scope, place.at, lambda at: self._line(mark, at))
        try:
            if language == "sql":
                return list(self.binder(value, scope).edits)
            if language == "plpgsql":
                return bodies.program(value, scope, self.binder)
        except UnprovableError as error:
            raise UnprovableError(error.reason, self._outer(mark, error.offset)) from error
        except ParseError as error:
            at = self._outer(mark, error.args[1] or 0 if len(error.args) > 1 else 0)
            raise UnprovableError(f"in the body: {error.args[0]}", at) from error
        if language not in ("c", "internal"):
            self._doubt(mark, Use.UNKNOWN)
        return self.edits.get(mark, [])
