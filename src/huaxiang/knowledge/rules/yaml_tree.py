"""YAML as a tree of plain text that knows its lines: nothing is constructed, guessed or expanded.

A scalar stays the text it is written as, and the field that reads it says what it should be. So the brand NO
is no false, and 007 keeps its zeros. Anchors, tags and several documents are refused: they are how YAML
becomes code, or a few lines become gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from huaxiang.errors import RulesError

MOST_BYTES = 1 << 20
MOST_DEPTH = 20


@dataclass(slots=True)
class Node:
    """A text, a list, or a mapping, and where it stands; `column` is its way from the top, as rules[2].when.

    `is_quoted` is whether a text stands in quotes: an empty one is then meant.
    """

    value: str | list[Node] | dict[str, Node]
    line: int
    column: str = ""
    file: str = field(default="rules", repr=False)
    is_quoted: bool = False

    def wrong(
        self, message: str, *, value: str | None = None, remedy: str, line: int | None = None
    ) -> RulesError:
        """Return the error that names this place."""
        return RulesError(
            message,
            file=self.file,
            line=self.line if line is None else line,
            column=self.column or None,
            value=value,
            remedy=remedy,
        )


def tree_of(text: str | bytes, *, file: str) -> Node:
    """Return the tree of a YAML text.

    Raises
    ------
    RulesError
        It is too long or too deep, no YAML, not UTF-8, empty, or uses what rules have no need of.
    """
    written = _decoded(text, file)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(written, Loader=loader)
        tree = _tree(iter(events), file)
    except yaml.YAMLError as error:
        raise _not_yaml(error, file) from None
    if tree is None:
        raise RulesError("there are no rules", file=file, line=1, remedy="begin with version: 1")
    return _placed(tree, "")


def _decoded(text: str | bytes, file: str) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        remedy = f"rules have at most {MOST_BYTES >> 20} MiB"
        raise RulesError("the rules are too long", file=file, value=f"{size} bytes", remedy=remedy)
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise RulesError("not UTF-8", file=file, line=line, remedy="save the file as UTF-8") from None


def _not_yaml(error: yaml.YAMLError, file: str) -> RulesError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be read"
    return RulesError(
        f"not YAML ({problem})",
        file=file,
        line=mark.line + 1 if mark is not None else None,
        remedy="check indentation, colons and quotes",
    )


def _tree(events: Iterator[yaml.Event], file: str) -> Node | None:
    """Return the one document of a stream of events, None where there is none."""
    found: Node | None = None
    n_documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            n_documents += 1
            if n_documents > 1:
                raise _refused(event, file, "a second document", "keep all rules in one")
        elif isinstance(event, yaml.NodeEvent):
            found = _node(event, events, file, 0)
    if found is not None and found.value == "" and not found.is_quoted:
        return None
    return found


def _node(event: yaml.Event, events: Iterator[yaml.Event], file: str, depth: int) -> Node:  # noqa: C901 - one question after another
    line = _line(event)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise _refused(event, file, "anchors and aliases", "name the items under groups, and use group: name")
    if getattr(event, "tag", None) not in (None, "!"):
        raise _refused(event, file, "a tag", "rules hold no code: write plain text, numbers and lists")
    if depth > MOST_DEPTH:
        raise RulesError("too deep", file=file, line=line, remedy=f"at most {MOST_DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent):
        return Node(event.value, line, file=file, is_quoted=bool(event.style))
    if isinstance(event, yaml.SequenceStartEvent):
        listed = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            listed.append(_node(inner, events, file, depth + 1))
        return Node(listed, line, file=file)
    mapped: dict[str, Node] = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        name = _node(key, events, file, depth + 1)
        value = _node(next(events), events, file, depth + 1)
        if not isinstance(name.value, str):
            raise name.wrong("a name is no text", remedy="write name: value")
        if name.value in mapped:
            raise name.wrong("a field is there twice", value=name.value, remedy="keep one of them")
        value.line = name.line if isinstance(value.value, str) else value.line
        mapped[name.value] = value
    return Node(mapped, line, file=file)


def _refused(event: yaml.Event, file: str, what: str, remedy: str) -> RulesError:
    return RulesError(f"rules can't have {what}", file=file, line=_line(event), remedy=remedy)


def _placed(node: Node, column: str) -> Node:
    """Return the tree with each node's way from the top."""
    node.column = column
    if isinstance(node.value, list):
        for place, inner in enumerate(node.value):
            _placed(inner, f"{column}[{place}]")
    elif isinstance(node.value, Mapping):
        for name, inner in node.value.items():
            _placed(inner, f"{column}.{name}" if column else name)
    return node


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
