"""Needs of Terraform: data sources and ephemeral resources, which whoever runs Terraform reads."""

import re
from collections import deque
from collections.abc import Iterator, Mapping

from kvaudit.contracts.infer.catalogue import object_name, words
from kvaudit.contracts.infer.needs import Grade, Need

_BLOCK = re.compile(
    r"^[ \t]*(?:data|ephemeral)[ \t]+\"azurerm_key_vault(?:_(\w+))?\"[ \t]+\"([^\"\n]{0,200})\"", re.MULTILINE
)
_NEXT = re.compile(r"^[ \t]*(?:data|ephemeral|resource|module|variable|locals|output|provider)\b", re.MULTILINE)
_APART = r"/\*.*?(?:\*/|\Z)|(?:#|//)[^\n]*|<<-?(\w+)\n.*?(?:^[ \t]*\1[ \t]*$|\Z)|\"(?:\\.|[^\"\\\n])*+\"?"
_TEXTS = re.compile(_APART, re.DOTALL | re.MULTILINE)
_PART = re.compile(_APART + "|[{}]", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"^[ \t{]*name[ \t]*=[ \t]*\"([^\"\n]{0,200})\"", re.MULTILINE)
_VAULT_ID = re.compile(r"^[ \t{]*key_vault_id[ \t]*=[ \t]*data\.azurerm_key_vault\.([\w-]{1,200})\.id\b", re.MULTILINE)
_ASKS = {
    "secret": ("secrets/get",),
    "secrets": ("secrets/list",),
    "key": ("keys/get",),
    "certificate": ("certificates/get",),
    "certificates": ("certificates/list",),
    "certificate_data": ("certificates/get", "secrets/get"),
    "certificate_issuer": ("certificates/getIssuer",),
    "encrypted_value": ("keys/encrypt", "keys/decrypt"),
}
_OF_ONE_OBJECT = frozenset({"secret", "key", "certificate", "certificate_data"})

LONGEST_BLOCK = 20_000
"""Characters of a data source that are looked at for its arguments. Real ones have a few lines."""


def terraform_needs(text: str, file: str, vaults: Mapping[str, str] | None = None) -> Iterator[Need]:
    """What the data sources of a file ask for.

    Args:
        text: of the file.
        file: as it is to be shown.
        vaults: label -> name, of data sources `azurerm_key_vault` in the same folder.
    """
    known = {**(vaults or {}), **terraform_vaults(text)}
    for type_, label, line, body in _blocks(text):
        vault = _VAULT_ID.search(body)
        named = _NAME.search(body)
        name = object_name(named.group(1)) if named and type_ in _OF_ONE_OBJECT else None
        for operation in _ASKS.get(type_, ()):
            grade = Grade.LIKELY if operation in ("keys/encrypt", "keys/decrypt") else Grade.CERTAIN
            why = f'data "azurerm_key_vault_{type_}" "{label}"' + (f" {name}" if name else "")
            of = known.get(vault.group(1)) if vault else None
            yield Need(operation, words()[operation], grade, file, line, why, of, name)


def terraform_vaults(text: str) -> dict[str, str]:
    """Label -> name, of the data sources `azurerm_key_vault` whose name is literal."""
    found = {}
    for type_, label, _, body in _blocks(text):
        named = _NAME.search(body)
        name = object_name(named.group(1)) if named and not type_ else None
        if name:
            found[label] = name.casefold()
    return found


def _blocks(text: str) -> Iterator[tuple[str, str, int, str]]:
    """Type after `azurerm_key_vault_`, label, line and body of each data source, without comments."""
    if "azurerm_key_vault" not in text:
        return
    comments = deque(found.span() for found in _TEXTS.finditer(text) if found.group().startswith(("/*", "<<")))
    line, counted = 1, 0
    for found in _BLOCK.finditer(text):
        while comments and comments[0][1] <= found.start():
            comments.popleft()
        if comments and comments[0][0] < found.start():
            continue
        line += text.count("\n", counted, found.start())
        counted = found.start()
        at_next = _NEXT.search(text, found.end(), found.end() + LONGEST_BLOCK)
        end = at_next.start() if at_next else min(len(text), found.end() + LONGEST_BLOCK)
        yield found.group(1) or "", found.group(2), line, _body(text[found.end() : end])


def _body(text: str) -> str:
    """A block's own arguments: up to its closing brace, without comments, here-documents and blocks inside it."""
    kept, at, depth = [], 0, 0
    for found in _PART.finditer(text):
        part = found.group()
        if depth == 1:
            kept.append(text[at : found.start()])
            if part.startswith('"'):
                kept.append(part)
        depth += {"{": 1, "}": -1}.get(part, 0)
        at = found.end()
        if depth == 0 and part == "}":
            break
    else:
        kept.append(text[at:] if depth == 1 else "")
    return "".join(kept)
