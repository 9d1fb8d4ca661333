"""How the data of the HTML report is written small: strings, sets and phrases stand once, everything else is a number.

Ten thousand vaults repeat few sentences: "role assignment … gives Key Vault Secrets User at vault …". A phrase is a text
whose vault, names and GUIDs were taken out, and the numbers of what goes back in. `reports/templates/js/data.js` undoes it.
"""

import re
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from kvaudit.model.vaults import Vault
from kvaudit.report.text import visible

VAULT_ID, VAULT_SCOPE, VAULT_NAME, VAULT_NAME_FOLDED, PRINCIPAL, GUID = (chr(0xE000 + index) for index in range(6))
"""Places in a phrase. Private-use characters: `visible` shows those of the tenant as text, so that these are ours alone."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Item = TypeVar("Item", bound=Hashable)


class Table(Generic[Item]):
    """Values in the order in which they first came, each once."""

    def __init__(self) -> None:
        self._numbers: dict[Item, int] = {}

    def number(self, item: Item) -> int:
        """The number of a value; a new value gets the next one."""
        return self._numbers.setdefault(item, len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def items(self) -> list[Item]:
        """The values by number."""
        return list(self._numbers)


class Phrases:
    """Strings, GUIDs and the phrases made of them."""

    def __init__(self) -> None:
        self.strings: Table[str] = Table()
        self.guids: Table[str] = Table()
        self.phrases: Table[tuple[int, ...]] = Table()

    def string(self, text: str | None) -> int:
        """The number of a string that was made visible; -1 for None."""
        return -1 if text is None else self.strings.number(visible(text))

    def phrase(
        self, text: str, vault: Vault | None = None, principal: str | None = None, name: str | None = None
    ) -> int:
        """The number of a phrase.

        Args:
            text: any text, of the tenant too.
            vault: its ID and name are taken out of the text.
            principal: the name of a principal that is taken out of the text.
            name: the name of a vault that is taken out of the vault's own ID.
        """
        short = visible(text)
        for value, mark in _places(vault, principal, name):
            short = short.replace(value, mark)
        guids = [self.guids.number(match.replace("-", "")) for match in _GUID.findall(short)]
        template = _GUID.sub(GUID, short)
        return self.phrases.number((self.strings.number(template), *guids))

    @property
    def guid_digits(self) -> str:
        """The digits of all GUIDs, one after the other."""
        return "".join(self.guids.items)


def _places(vault: Vault | None, principal: str | None, name: str | None) -> Sequence[tuple[str, str]]:
    places = [(name, VAULT_NAME)] if name else []
    if vault is not None:
        places += [(vault.id, VAULT_ID), (vault.scope, VAULT_SCOPE)]
        places += [(vault.name, VAULT_NAME), (vault.name.casefold(), VAULT_NAME_FOLDED)]
    if principal:
        places.append((principal, PRINCIPAL))
    # A name of one letter would be found in every word; taking it out saves nothing.
    return [(visible(value), mark) for value, mark in places if len(value) > 2]
