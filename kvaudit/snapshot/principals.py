"""Who the principals of a snapshot are, and what is known of those that the directory did not describe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce

from kvaudit.collectors.directory import deleted_scope
from kvaudit.model import scopes
from kvaudit.model.authorization import EVERYONE, DenyAssignment, ScheduleInstance
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.vaults import Vault

_FOREIGN_GROUP = "ForeignGroup"


def fuller(old: Principal | None, new: Principal) -> Principal:
    """One description out of two of the same principal: `new` where it says something, else `old`.

    What a caller may not read comes with null fields, so a null takes nothing back. What is there is not deleted,
    whatever an earlier answer said.
    """
    if old is None or (old.state is not PrincipalState.FOUND and new.state is PrincipalState.FOUND):
        return new
    if new.state is not PrincipalState.FOUND and old.state is PrincipalState.FOUND:
        return old
    return Principal(
        new.id,
        new.type or old.type,
        new.state,
        new.display_name or old.display_name,
        new.user_principal_name or old.user_principal_name,
        new.app_id or old.app_id,
        old.account_enabled if new.account_enabled is None else new.account_enabled,
        new.user_type or old.user_type,
        new.service_principal_type or old.service_principal_type,
        new.alternative_names or old.alternative_names,
        old.is_assignable_to_role if new.is_assignable_to_role is None else new.is_assignable_to_role,
        new.visibility or old.visibility,
    )


def described_principals(ranks: Iterable[Iterable[Principal]]) -> dict[str, Principal]:
    """One description of each principal out of many, by folded ID, whatever the order of reading.

    Args:
        ranks: descriptions, those first that later ones complete.
    """
    found: dict[str, Principal] = {}
    for descriptions in ranks:
        here: dict[str, Principal] = {}
        several: dict[str, list[Principal]] = {}
        for principal in descriptions:
            first = here.setdefault(principal.id, principal)
            if first is not principal:
                several.setdefault(principal.id, [first]).append(principal)
        for identifier, principals in several.items():
            first, *others = sorted(set(principals), key=repr)
            here[identifier] = reduce(fuller, others, fuller(found.get(identifier), first))
        if found:
            for identifier, principal in here.items():
                old = found.get(identifier)
                here[identifier] = principal if old is None or identifier in several else fuller(old, principal)
        found.update(here)
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """How records name one principal: one object for all that are named alike.

    Attributes:
        types: principal types that records state.
        home: whether a record of the tenant that was asked names it.
        abroad: whether a record says that it is of another tenant.
    """

    types: frozenset[str] = frozenset()
    home: bool = False
    abroad: bool = False

    @property
    def type(self) -> str | None:
        """The type, where records state one and agree."""
        return next(iter(self.types)) if len(self.types) == 1 else None

    @property
    def foreign(self) -> bool:
        """Whether its directory is another one: it cannot be looked up here, so not finding it says nothing."""
        return _FOREIGN_GROUP in self.types or (self.abroad and not self.home)


def named_principals(
    tenant_id: str | None,
    vaults: Iterable[Vault],
    assigned: Iterable[tuple[str, str | None, bool]],
    instances: Iterable[ScheduleInstance],
    denies: Iterable[DenyAssignment],
) -> dict[str, Named]:
    """Every principal that a record names, by folded ID.

    An access policy names one of its own tenant (else of the vault's); an assignment with a delegated managed
    identity names one of the managing tenant (facts azure.md 2.1).

    Args:
        tenant_id: the tenant that was asked.
        vaults, instances, denies: the records.
        assigned: everybody whom role assignments name, see `kvaudit.snapshot.columns.named_in`.
    """
    found: dict[str, Named] = {}
    nobody = Named()

    def note(identifier: str, kind: str | None, *, abroad: bool) -> None:
        found[identifier] = _noted(found.get(identifier, nobody), kind, abroad)

    for identifier, kind, abroad in assigned:
        note(identifier, kind, abroad=abroad)
    for instance in instances:
        note(instance.principal_id, instance.principal_type, abroad=False)
    for deny in denies:
        for principal in (*deny.principals, *deny.exclude_principals):
            if principal.id != EVERYONE:
                note(principal.id, principal.type, abroad=False)
    for vault in vaults:
        home = tenant_id or vault.tenant_id
        for policy in vault.access_policies or ():
            tenant = policy.tenant_id or vault.tenant_id
            note(policy.object_id, None, abroad=None not in (tenant, home) and tenant != home)
    return found


@lru_cache(maxsize=4096)
def _noted(named: Named, principal_type: str | None, abroad: bool) -> Named:
    """What is known of one after another record named it."""
    types = named.types | {principal_type} if principal_type else named.types
    return Named(types, named.home or not abroad, named.abroad or abroad)


def complete_principals(
    described: Mapping[str, Principal], named: Mapping[str, Named], finished: frozenset[tuple[str, str]]
) -> dict[str, Principal]:
    """Every principal that was described or named, by folded ID, with its state.

    Args:
        described: what Graph answered.
        named: what records name.
        finished: (kind, folded scope) of every listing that was read to its end.
    """
    proof = _Proof(described, finished)

    def unseen(identifier: str, item: Named) -> Principal:
        if item.foreign:
            state = PrincipalState.FOREIGN
        elif proof.is_gone(identifier, item.type):
            state = PrincipalState.NOT_FOUND
        else:
            state = PrincipalState.UNRESOLVED
        return Principal(identifier, type=item.type, state=state)

    everybody = sorted({*described, *named})
    return {one: described.get(one) or unseen(one, named[one]) for one in everybody}


class _Proof:
    """Whether not finding a principal proves that it is gone.

    Three things together do. The ID was asked: deleted items are asked for those only that getByIds, read to its end,
    did not return, and a finished listing without the item is the 404. The caller reads this type of object: one came
    with its name. And none of this type came without its name, which is what Graph sends of objects that the caller
    may not read. Where the type is not known (access policies do not say it), any type stands for it.
    """

    def __init__(self, described: Mapping[str, Principal], finished: frozenset[tuple[str, str]]) -> None:
        self._finished = finished
        here = [item for item in described.values() if item.state is PrincipalState.FOUND]
        self._readable = {item.type for item in here if item.display_name is not None}
        self._hidden = {item.type for item in here if item.display_name is None}

    def is_gone(self, identifier: str, principal_type: str | None) -> bool:
        if ("deleted_principals", scopes.fold(deleted_scope(identifier))) not in self._finished:
            return False
        if principal_type is None:
            return bool(self._readable) and not self._hidden
        return principal_type in self._readable and principal_type not in self._hidden
