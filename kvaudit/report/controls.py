"""From a rule's checks to the controls of published frameworks (`kvaudit/data/controls.json`, with its sources)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from kvaudit.model.vaults import PermissionModel
from kvaudit.rules.judgement import Rule

_MODELS = {"rbac": PermissionModel.AZURE_RBAC, "accessPolicy": PermissionModel.ACCESS_POLICIES}


@dataclass(frozen=True, slots=True, order=True)
class Control:
    """One control of one framework.

    Attributes:
        title: the control's subject in our own words.
        model: the only permission model that it speaks of, or None for both.
    """

    framework: str
    version: str
    id: str
    title: str
    model: PermissionModel | None = None

    @property
    def key(self) -> str:
        """Framework, version and id in one text, which names one control: `CIS Controls 8.1 5.4`."""
        return f"{self.framework} {self.version} {self.id}"


@cache
def _by_check() -> dict[str, tuple[Control, ...]]:
    raw = json.loads(files("kvaudit.data").joinpath("controls.json").read_bytes())
    table: dict[str, list[Control]] = {check: [] for check in raw["checks"]}
    for item in raw["controls"]:
        model = _MODELS.get(item.get("appliesToModel", ""))
        control = Control(item["framework"], str(item["version"]), str(item["id"]), item["title"], model)
        for check in item["checks"]:
            table[check].append(control)
    return {check: tuple(controls) for check, controls in table.items()}


@cache
def controls_of(rule: Rule, model: PermissionModel | None = None) -> tuple[Control, ...]:
    """The controls that a rule's checks map to, sorted.

    Args:
        rule: whose checks.
        model: of the vault that the finding is about: controls of the other model are left out. None keeps all.

    Raises:
        KeyError: the rule names a check that the data does not hold.
    """
    found = {control for check in rule.controls for control in _by_check()[check]}
    kept = [item for item in found if model is None or item.model is None or item.model is model]
    return tuple(sorted(kept, key=lambda item: (item.framework, item.version, item.id)))
