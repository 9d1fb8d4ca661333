"""The smallest step of escalation: from what a principal holds at a vault to one route that it has."""

from collections.abc import Iterator
from dataclasses import dataclass

from kvaudit.access.escalation.answers import Confidence
from kvaudit.access.escalation.powers import STRENGTH
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import PermissionModel


@dataclass(frozen=True, slots=True)
class Setting:
    """The few properties of a vault on which routes of the control plane depend. Vaults with the same ones share routes.

    Attributes:
        model: None when it was not read.
        for_templates, for_machines: `enabledForTemplateDeployment`, `enabledForDeployment`; absent is off.
        purge_protected: whether purge protection is on.
        is_foreign: the vault trusts another tenant than its subscription's.
    """

    model: PermissionModel | None
    for_templates: bool = False
    for_machines: bool = False
    purge_protected: bool = False
    is_foreign: bool = False

    @property
    def may_use_policies(self) -> bool:
        """Whether the vault uses access policies, as far as was read."""
        return self.model is not PermissionModel.AZURE_RBAC

    @property
    def may_use_roles(self) -> bool:
        """Whether the vault uses Azure RBAC and role assignments count there, as far as was read."""
        return self.model is not PermissionModel.ACCESS_POLICIES and not self.is_foreign


@dataclass(frozen=True, slots=True)
class Step:
    """One route that somebody has.

    Attributes:
        route: its id.
        bits: bits of `actions` that it was found by.
        how: what its holder would do, a clause.
        confidence: where it differs from the catalogue's.
        mask: the operations that it leads to, where whoever found it knows them; else 0, and `Reach` works them out.
    """

    route: str
    answer: Answer
    bits: int
    how: str
    note: str = ""
    confidence: Confidence | None = None
    mask: int = 0


def step(
    route: str, found: tuple[Answer, int], how: str, note: str = "", confidence: Confidence | None = None
) -> Iterator[Step]:
    """The step of an answer with its bits; nothing where it is denied."""
    answer, bits = found
    if answer is not Answer.DENIED:
        yield Step(route, answer, bits, how, note, confidence)


def at_most(found: tuple[Answer, int], limit: Answer) -> tuple[Answer, int]:
    """An answer that is no stronger than a limit."""
    answer, bits = found
    return (answer if STRENGTH[answer] >= STRENGTH[limit] else limit), bits
