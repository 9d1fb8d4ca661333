"""What a rule gets: one vault, and the access to it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from kvaudit.access.answers import ControlHolding, Holding
from kvaudit.access.escalation import EscalationRoute, Gain, Takeovers
from kvaudit.model.answers import Answer
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, once
from kvaudit.model.vaults import PermissionModel, Vault

if TYPE_CHECKING:
    from kvaudit.access.evaluator import Access


class VaultAccess:
    """One vault as rules see it. Answers are worked out when they are first asked for, and kept as long as the subject.

    Args:
        access: the evaluator.
        vault: the vault.
    """

    def __init__(self, access: "Access", vault: Vault) -> None:
        self._access = access
        self.vault = vault

    @property
    def estate(self) -> Estate:
        """The estate that the vault stands in."""
        return self._access.estate

    @property
    def permission_model(self) -> PermissionModel | None:
        """How the vault authorises; None when its properties were not read."""
        return self.vault.permission_model

    @cached_property
    def holdings(self) -> tuple[Holding, ...]:
        """What each principal that a record names holds on the vault; groups stand for their members."""
        return self._access.holdings(self.vault, with_routes=False)

    @cached_property
    def object_holdings(self) -> tuple[Holding, ...]:
        """The same on each object at which a record stands of its own: rows repeat what is inherited from the vault."""
        return tuple(
            holding
            for ref in self._access.objects_with_records(self.vault)
            for holding in self._access.holdings(self.vault, ref, with_routes=False)
        )

    @cached_property
    def _expanded(self) -> tuple[Holding, ...]:
        return self._access.holdings(self.vault, expand_groups=True, with_routes=False)

    def members(self, expand: bool = True) -> tuple[Holding, ...]:
        """The holdings, with every member of every group unless `expand` is false."""
        return self._expanded if expand else self.holdings

    def holders_of(self, action: str) -> tuple[ControlHolding, ...]:
        """Principals that a record gives a control-plane action on the vault."""
        return self._access.control_holders(self.vault, action)

    def routes(self, *ids: str) -> tuple[EscalationRoute, ...]:
        """The routes of these ids (`E12`) to the vault's data, sorted by principal."""
        return self._access.routes(self.vault, only=frozenset(ids)).routes

    @cached_property
    def delegates(self) -> Mapping[str, Answer]:
        """Everybody who has route E5 to the vault's data, as `routes` tells them → how surely; sorted."""
        return self._access.escalations.delegates(self.vault)

    def delegation(self, principal_id: str) -> EscalationRoute | None:
        """Route E5 of one of them, with its records."""
        return self._access.escalations.delegation(principal_id, self.vault)

    @property
    def has_identity_records(self) -> bool:
        """Whether anything was collected from which routes through identities follow."""
        return self._access.escalations.has_identity_records

    @property
    def takeovers(self) -> Takeovers:
        """Who can act as whom in the estate."""
        return self._access.escalations.takeovers

    @cached_property
    def gains(self) -> tuple[Gain, ...]:
        """Who gains access to the vault by acting as an identity that has it, the surest first."""
        return self._access.escalations.gains(self.vault)

    @property
    def gain_gaps(self) -> tuple[Gap, ...]:
        """What could not be read and may hide one of them: it may stand anywhere in the estate."""
        return self._access.escalations.gaps_of_gains(self.vault)

    @property
    def lists_controllers(self) -> bool:
        """Whether grants and denies of every subscription in which something runs as an identity were listed."""
        return self._access.escalations.is_listed

    def gaining(self, gain: Gain) -> tuple[EscalationRoute, ...]:
        """The routes behind one of them, the surest first."""
        return self._access.escalations.gaining(gain, self.vault)

    @property
    def kinds_not_assessed(self) -> tuple[str, ...]:
        """The kinds of records of routes that nobody collected in this estate."""
        return self._access.escalations.kinds_not_assessed

    def gaps(self, kinds: Iterable[str]) -> tuple[Gap, ...]:
        """What was not read of these kinds and reaches the vault.

        Groups count only when a record that reaches the vault names them, or a group above them.
        """
        wanted = frozenset(kinds)
        about_groups = wanted & _ABOUT_GROUPS
        found = self.estate.gaps_over(self.vault.scope, wanted - about_groups)
        return once((*found, *(gap for gap in self._access.gaps_for(self.vault) if gap.kind in wanted)))

    def principal(self, principal_id: str) -> Principal:
        """What the directory says of a folded object ID."""
        return self.estate.principal(principal_id)


_ABOUT_GROUPS = frozenset({"group_members", "service_principal_groups"})
