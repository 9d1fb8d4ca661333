"""A rule's documentation page (its module's docstring) as sections of safe HTML for the report.

Only what those pages use of Markdown is known: paragraphs, lists, `code`, **strong** and links. The pages are ours; they
are escaped all the same.
"""

import re
import sys
from dataclasses import dataclass

from markupsafe import Markup, escape

from kvaudit.rules.judgement import Rule

_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https://[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class RulePage:
    """The page of a rule: what it looks for, why it matters, how to mend it, where to read on."""

    about: Markup
    why: Markup
    how: Markup
    references: Markup


def page_of(rule: Rule) -> RulePage:
    """The page of a rule; a section that it does not have is empty."""
    text = (sys.modules[rule.check.__module__].__doc__ or "").strip()
    head, *rest = re.split(r"^## +", text, flags=re.MULTILINE)
    sections = {title.strip(): body for title, _, body in (part.partition("\n") for part in rest)}
    return RulePage(
        about=to_html(head.partition("\n")[2]),
        why=to_html(sections.get("Why it matters", "")),
        how=to_html(sections.get("How to fix it", "")),
        references=to_html(sections.get("References", "")),
    )


def to_html(text: str) -> Markup:
    """Paragraphs and lists as HTML."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return Markup("").join(_block(block) for block in blocks)


def _block(block: str) -> Markup:
    if block.startswith("- "):
        items = [" ".join(item.split()) for item in re.split(r"^- ", block, flags=re.MULTILINE) if item.strip()]
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
        )
    return Markup("<p>{}</p>").format(_inline(" ".join(block.split())))


def _inline(text: str) -> Markup:
    parts, at = [], 0
    for match in _INLINE.finditer(text):
        parts.append(escape(text[at : match.start()]))
        code, strong, label, address = match.groups()
        if code is not None:
            parts.append(Markup("<code>{}</code>").format(code))
        elif strong is not None:
            parts.append(Markup("<strong>{}</strong>").format(strong))
        else:
            parts.append(Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, label))
        at = match.end()
    parts.append(escape(text[at:]))
    return Markup("").join(parts)
