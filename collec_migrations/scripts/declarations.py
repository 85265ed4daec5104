"""What PL/pgSQL declares: names, their types and first values."""

from collec_migrations.scripts.walking import Kind, Walker


def declarations(walker: Walker) -> None:
    """Go over what follows DECLARE, up to BEGIN."""
    while walker.word() not in ("begin", ""):
        if walker.word() in ("declare", ";"):
            walker.at += 1
        elif walker.word() == "<<":
            walker.label()
        else:
            declaration(walker)


def declaration(walker: Walker) -> None:
    """Go over one declared name."""
    walker.variables.add(walker.tokens[walker.at].identifier)
    walker.at += 1
    if walker.word() == "alias":
        walker.at = walker.until(";") + 1
        return
    walker.take("no")
    walker.take("scroll")
    if walker.take("cursor"):
        cursor(walker)
        return
    walker.take("constant")
    type_until(walker, "collate", "not", "default", ":=", "=", ";")
    if walker.take("collate"):
        end = walker.until("not", "default", ":=", "=", ";")
        walker.add(walker.at, end, Kind.COLLATION)
        walker.at = end
    walker.take("not", "null")
    if walker.word() in ("default", ":=", "="):
        walker.at += 1
        walker.expression(";")
    else:
        walker.at += 1


def type_until(walker: Walker, *stops: str) -> None:
    """Go over the name of a type."""
    end = walker.until(*stops)
    copied = any(
        token.word == "%" and walker.tokens[index + walker.at + 1].word == "type"
        for index, token in enumerate(walker.tokens[walker.at : end - 1])
    )
    walker.add(walker.at, end, Kind.COPIED_TYPE if copied else Kind.TYPE)
    walker.at = end


def cursor(walker: Walker) -> None:
    """Go over the arguments and the query of a declared cursor."""
    if walker.take("("):
        while walker.word() not in ("", "for", "is"):
            walker.variables.add(walker.tokens[walker.at].identifier)
            walker.at += 1
            type_until(walker, ",", ")")
            walker.at += 1
    walker.at += 1
    walker.expression(";", kind=Kind.STATEMENT)
