"""The pages of the manual, read by a parser of Markdown: their states, blocks and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
_STATE = re.compile(r"<!-- state: (.+?) -->")
_RUN_BY = re.compile(r"<!-- run by: (.+?) -->")
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, or an indented one, whose language is then empty."""

    language: str
    text: str
    line: int
    """Its first line on the page, from 1."""
    not_run: str
    """Why its commands are not run; empty: they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of a block, and what the page says it writes."""

    text: str
    line: int
    shown: tuple[str, ...]
    """Lines; `...` stands for whatever comes there. None: the page does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page."""

    path: Path
    state: str
    """What the comment `<!-- state: ... -->` asks to be there before."""
    run_by: str
    """A test that runs the page by itself; empty: `test_commands.py` does."""
    blocks: tuple[Block, ...]
    links: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the path below the repository."""
        return str(self.path.relative_to(ROOT))

    @property
    def commands(self) -> tuple[Command, ...]:
        """Return the commands that are to be run, in order."""
        run = (one for one in self.blocks if one.language == "console" and not one.not_run)
        return tuple(command for block in run for command in _commands(block))


def every() -> tuple[Page, ...]:
    """Return the README and all pages below docs."""
    return tuple(read(path) for path in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))))


def read(path: Path) -> Page:
    """Return a page."""
    text = path.read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    state, run_by = _STATE.search(text), _RUN_BY.search(text)
    return Page(
        path=path,
        state=state[1] if state else "",
        run_by=run_by[1] if run_by else "",
        blocks=tuple(_blocks(tokens)),
        links=tuple(_links(tokens)),
    )


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    reason = ""
    for token in tokens:
        if token.type == "html_block":
            found = _NOT_RUN.search(token.content)
            reason = found[1] if found else ""
        elif token.type in ("fence", "code_block"):
            line = (token.map or [0])[0] + 1
            language = token.info.split()[0] if token.info.split() else ""
            yield Block(language=language, text=token.content, line=line, not_run=reason)
            reason = ""
        elif token.level == 0:
            reason = ""


def _links(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                yield str(child.attrGet("href") or child.attrGet("src"))


def _commands(block: Block) -> Iterator[Command]:
    words: list[str] = []
    shown: list[str] = []
    began = 0
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            if words:
                yield Command(text="\n".join(words), line=began, shown=tuple(shown))
            words, shown, began = [line[2:]], [], number
        elif line.startswith("> ") and words and not shown:
            words.append(line[2:])
        else:
            shown.append(line)
    if words:
        yield Command(text="\n".join(words), line=began, shown=tuple(shown))
