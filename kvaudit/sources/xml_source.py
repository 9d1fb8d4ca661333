"""XML as elements with places. A document type, and with it every entity of one's own, is refused."""

from dataclasses import dataclass, field
from xml.parsers import expat

from kvaudit.errors import UsageError

DEEPEST = 200
"""Levels of nesting."""


class XmlSourceError(UsageError):
    """A text that is no XML, or holds a document type. The message holds file, line and column."""


@dataclass(slots=True)
class XmlElement:
    """An element.

    Attributes:
        name: without a namespace's prefix.
        text: directly inside it, without blanks around.
        line, column: where it begins, from 1.
    """

    name: str
    attributes: dict[str, str]
    line: int
    column: int
    children: list["XmlElement"] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> str:
        """The text of a child element; "" where there is none."""
        return next((item.text for item in self.children if item.name == name), "")


def parse_xml(text: str, name: str) -> list[XmlElement]:
    """Every element of a document, in document order.

    Raises:
        XmlSourceError: with file, line and column.
    """
    parser = expat.ParserCreate()
    found: list[XmlElement] = []
    above: list[XmlElement] = []

    def refuse(what: str) -> XmlSourceError:
        return XmlSourceError(f"{name}:{parser.CurrentLineNumber}:{parser.CurrentColumnNumber + 1}: {what}")

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(above) >= DEEPEST:
            raise refuse(f"nested deeper than {DEEPEST} levels")
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        element = XmlElement(tag.rpartition(":")[2], attributes, line, column)
        if above:
            above[-1].children.append(element)
        found.append(element)
        above.append(element)

    def end(_: str) -> None:
        element = above.pop()
        element.text = element.text.strip()

    def data(text: str) -> None:
        if above:
            above[-1].text += text

    def document_type(*_: object) -> None:
        raise refuse("a document type, which is not read: it can hold entities that expand without end")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = document_type
    parser.buffer_text = True
    try:
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as problem:
        where = f"{name}:{problem.lineno}:{problem.offset + 1}"
        raise XmlSourceError(f"{where}: no XML ({expat.ErrorString(problem.code)})") from problem
    return found
