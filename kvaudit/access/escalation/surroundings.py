"""Routes around the vault: its network (E14), its audit log (E15), policy (E18), its place in the tree (E7 at `/`, E20, E21)."""

from collections.abc import Iterator

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.escalation.steps import Setting, Step, at_most, step
from kvaudit.model.answers import Answer


def routes(held: Powers, _: Setting) -> Iterator[Step]:
    """E7 by a role at `/`, E14, E15, E18 and E21."""
    yield from step(
        "E7", held.best(actions.ELEVATE), "gives itself User Access Administrator at / and assigns roles from there"
    )
    how = "opens the vault's firewall to networks of its own"
    yield from step("E14", held.best(actions.VAULTS_WRITE), how)
    how = "connects a private endpoint of its own to the vault"
    yield from step("E14", held.best(actions.ENDPOINTS_WRITE, actions.ENDPOINTS_APPROVE), how)
    yield from step(
        "E15",
        held.best(actions.DIAGNOSTICS_DELETE, actions.DIAGNOSTICS_WRITE),
        "turns off or redirects the vault's audit log",
    )
    yield from step(
        "E18",
        at_most(held.best(actions.POLICY_ASSIGNMENTS_WRITE, actions.POLICY_DEFINITIONS_WRITE), Answer.UNKNOWN),
        "changes the vault or its roles through a policy whose remediation runs as a privileged identity",
        "which policy assignments run as privileged identities is not collected",
    )
    both = actions.MOVES_SUBSCRIPTION | actions.ASSIGN_SUBSCRIPTION
    yield from step(
        "E21",
        at_most((held.answer(both), both), Answer.CONDITIONAL),
        "moves the subscription under another management group, where other assignments are inherited and denies are shed",
    )
