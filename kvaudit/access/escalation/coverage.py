"""What of the records of identity routes was read, refused, or never asked for (ARCHITECTURE.md, "Access semantics" 11)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from kvaudit.access.directory import Directory
from kvaudit.access.escalation.answers import NotAssessed, sorted_ids
from kvaudit.access.escalation.catalogue import IDENTITY_KINDS, ROUTES
from kvaudit.model import scopes
from kvaudit.model.directory import PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap

_KINDS = frozenset(IDENTITY_KINDS)


def gaps(estate: Estate) -> tuple[Gap, ...]:
    """The gaps of kinds that only routes rest on: a route may exist behind each."""
    return tuple(gap for gap in estate.gaps if gap.kind in _KINDS)


def not_assessed(estate: Estate, directory: Directory) -> tuple[NotAssessed, ...]:
    """The kinds that were neither read nor refused for something that matters, in the order of their names."""
    is_missing, matters = _Missing(estate), _Matters(estate, directory)
    wanted_of, found = dict[Places, tuple[str, ...]](), []
    for kind in IDENTITY_KINDS:
        places = _PLACES[kind]
        if places not in wanted_of:  # several kinds are asked for at the same places
            wanted_of[places] = tuple(dict.fromkeys(places(matters)))
        wanted = wanted_of[places]
        missing = sum(is_missing(kind, place) for place in wanted)
        if missing:
            routes = sorted_ids({item.id for item in ROUTES if kind in item.kinds})
            found.append(NotAssessed(kind, routes, missing, len(wanted)))
    return tuple(found)


def kinds_not_assessed(estate: Estate, directory: Directory) -> tuple[str, ...]:
    """The same kinds alone: of each, nothing is looked for beyond the first that is missing."""
    is_missing, matters = _Missing(estate), _Matters(estate, directory)
    return tuple(kind for kind in IDENTITY_KINDS if any(is_missing(kind, place) for place in _PLACES[kind](matters)))


class _Missing:
    """Tells whether a kind was neither read nor refused at a place."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._told = {(gap.kind, scopes.fold(gap.scope)) for gap in estate.gaps}
        self._heard_of = {item.kind for item in estate.listings} | {gap.kind for gap in estate.gaps}

    def __call__(self, kind: str, place: str) -> bool:
        if kind not in self._heard_of:
            return True
        refused = {(kind, scopes.fold(place)), (kind, _collection(place))}
        return not self._estate.was_read(kind, place) and self._told.isdisjoint(refused)


def _collection(place: str) -> str:
    """Where a kind is told once that the directory refuses altogether: `groups` for `groups/{id}`."""
    return scopes.fold(place.partition("/")[0])


class _Matters:
    """What matters in an estate: whom records name, some of them again, each when one comes upon it."""

    def __init__(self, estate: Estate, directory: Directory) -> None:
        self.estate = estate
        self.directory = directory

    def named(self) -> Iterator[str]:
        """Everybody whom a record that may give access names."""
        yield from self.estate.assignment_columns.everybody()
        yield from (item.principal_id for item in self.estate.schedule_instances)
        yield from (entry.object_id for vault in self.estate.vaults for entry in vault.access_policies or ())

    def _of_type(self, kind: str) -> Iterator[str]:
        """Those of a type. Most are users whom the directory knows: of these nothing is kept."""
        principals, type_of = self.estate.principals, self.directory.type_of
        for item in self.named():
            known = principals.get(item)
            if ((known is not None and known.type) or type_of(item)) == kind:
                yield item

    def groups(self) -> Iterator[str]:
        """Groups of this tenant that a record names, and groups nested in them."""
        directory, named = self.directory, dict[str, None]()
        for item in self._of_type("Group"):
            if item not in named and directory.principal(item).state is not PrincipalState.FOREIGN:
                named[item] = None
                yield item
        yield from (item for item in directory.groups_below(*named) if directory.type_of(item) == "Group")

    def service_principals(self) -> Iterator[str]:
        """Service principals with an application, that a record names: nobody adds a credential to a managed identity."""
        for item in self._of_type("ServicePrincipal"):
            principal = self.directory.principal(item)
            is_gone = principal.state is PrincipalState.NOT_FOUND
            if principal.service_principal_type != "ManagedIdentity" and not is_gone:
                yield item


Places = Callable[[_Matters], Iterable[str]]


def _subscriptions(matters: _Matters) -> Iterable[str]:
    seen = set[str]()
    for vault in matters.estate.vaults:
        written = "/".join(vault.id.split("/", 3)[:3])
        if written not in seen:
            seen.add(written)
            known = scopes.subscription_of(scopes.fold(written))
            if known:
                yield f"{scopes.SUBSCRIPTION_PREFIX}{known}"


def _groups(matters: _Matters) -> Iterable[str]:
    return (f"groups/{item}" for item in matters.groups())


def _service_principals(matters: _Matters) -> Iterable[str]:
    return (f"servicePrincipals/{item}" for item in matters.service_principals())


def _every_service_principal(matters: _Matters) -> Iterable[str]:
    """Where a group matters: lists of owners leave service principals out, so each is asked what it owns."""
    for _ in islice(matters.groups(), 1):
        for item in matters.estate.principals.values():
            if item.type == "ServicePrincipal" and item.state is PrincipalState.FOUND:
                yield f"servicePrincipals/{item.id}"


def _applications(matters: _Matters) -> Iterable[str]:
    """Registrations in this tenant of the service principals that a record names."""
    if not matters.estate.applications:
        return ()
    app_ids = {(matters.directory.principal(item).app_id or "").casefold() for item in matters.service_principals()}
    return (f"applications/{item.id}" for item in matters.estate.applications if item.app_id in app_ids)


def _registrations(matters: _Matters) -> Iterable[str]:
    return ("applications" for _ in islice(matters.service_principals(), 1))


def _identities(matters: _Matters) -> Iterable[str]:
    """User-assigned identities that a record names."""
    if not matters.estate.user_assigned_identities:
        return ()
    named = frozenset(matters.named())
    return (item.resource_id for item in matters.estate.user_assigned_identities if item.principal_id in named)


def _tenant(_: _Matters) -> Iterable[str]:
    return ("directory",)


def _graph(matters: _Matters) -> Iterable[str]:
    """Microsoft Graph's own service principal, whose ID differs from tenant to tenant."""
    listed = [item.scope for item in matters.estate.listings if item.kind == "application_permissions"]
    refused = [item.scope for item in matters.estate.gaps if item.kind == "application_permissions"]
    return (*listed, *refused) or ("servicePrincipals/Microsoft Graph",)


_PLACES: dict[str, Places] = {
    "application_federated_credentials": _applications,
    "application_owners": _applications,
    "application_permissions": _graph,
    "applications": _registrations,
    "delegations": _subscriptions,
    "directory_role_assignments": _tenant,
    "directory_role_eligibility_schedule_instances": _tenant,
    "federated_credentials": _identities,
    "group_assignment_schedule_instances": _groups,
    "group_eligibility_schedule_instances": _groups,
    "group_owners": _groups,
    "resource_identities": _subscriptions,
    "service_principal_owned_objects": _every_service_principal,
    "service_principal_owners": _service_principals,
    "user_assigned_identities": _subscriptions,
}
