"""Routes through deployments: secrets into templates (E9), certificates onto machines (E10)."""

from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.escalation.steps import Setting, Step, at_most, step
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import PermissionModel

UNDER_RBAC = "what the enabledFor… flags do on a vault that uses Azure RBAC is not established"


def routes(held: Powers, setting: Setting) -> Iterator[Step]:
    """E9 and E10."""
    settled = setting.model is PermissionModel.ACCESS_POLICIES
    limit, note = (Answer.ALLOWED, "") if settled else (Answer.UNKNOWN, UNDER_RBAC)
    for route, is_on, rest, flag, how in (
        (
            "E9",
            setting.for_templates,
            actions.DEPLOYS,
            "enabledForTemplateDeployment",
            "deploys a template that takes secrets of the vault as parameters and shows them",
        ),
        (
            "E10",
            setting.for_machines,
            actions.INSTALLS,
            "enabledForDeployment",
            "installs certificates of the vault on a virtual machine of its own",
        ),
    ):
        # The flag can be set by whoever may write the vault.
        needed = actions.DEPLOY | rest | (0 if is_on else actions.VAULTS_WRITE)
        first = "" if is_on else f"sets {flag}, then "
        yield from step(route, at_most((held.answer(needed), needed), limit), first + how, note)
