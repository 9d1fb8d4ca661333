"""What of the records of identity routes was read, refused, or never asked for (ARCHITECTURE.md, "Access semantics" 11)."""

from collections.abc import Callable, Iterable
from functools import cached_property

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
    told = {(gap.kind, scopes.fold(gap.scope)) for gap in estate.gaps}
    heard_of = {item.kind for item in estate.listings} | {gap.kind for gap in estate.gaps}
    matters, wanted_of, found = _Matters(estate, directory), dict[Places, tuple[str, ...]](), []
    for kind in IDENTITY_KINDS:
        places = _PLACES[kind]
        if places not in wanted_of:  # several kinds are asked for at the same places
            wanted_of[places] = tuple(dict.fromkeys(places(matters)))
        missing = wanted = wanted_of[places]
        if kind in heard_of:
            missing = tuple(
                place
                for place in wanted
                if not estate.was_read(kind, place)
                and told.isdisjoint({(kind, scopes.fold(place)), (kind, _collection(place))})
            )
        if missing:
            routes = sorted_ids({item.id for item in ROUTES if kind in item.kinds})
            found.append(NotAssessed(kind, routes, len(missing), len(wanted)))
    return tuple(found)


def _collection(place: str) -> str:
    """Where a kind is told once that the directory refuses altogether: `groups` for `groups/{id}`."""
    return scopes.fold(place.partition("/")[0])


_HOLDING = ("Group", "ServicePrincipal")


class _Matters:
    """What matters in an estate: whom records name, worked out once."""

    def __init__(self, estate: Estate, directory: Directory) -> None:
        self.estate = estate
        self.directory = directory

    @cached_property
    def named(self) -> frozenset[str]:
        """Everybody whom a record that may give access names."""
        instances = {item.principal_id for item in self.estate.schedule_instances}
        entries = {entry.object_id for vault in self.estate.vaults for entry in vault.access_policies or ()}
        return self.estate.assignment_columns.everybody | instances | entries

    @cached_property
    def _by_type(self) -> tuple[list[str], list[str]]:
        """The groups and the service principals among them."""
        by_type, named = self.estate.ids_by_type, self.named
        # A large tenant has hundreds of thousands, mostly users whom the directory knows: these are not looked for.
        typeless = [item for kind in by_type if not kind for item in by_type[kind] if item in named]
        others = (*typeless, *named.difference(self.estate.principals))
        found = [(item, self.directory.type_of(item)) for item in others]
        found += [(item, kind) for kind in _HOLDING for item in by_type.get(kind, ()) if item in named]
        groups, service_principals = ([item for item, own in found if own == kind] for kind in _HOLDING)
        return groups, service_principals

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Groups of this tenant that a record names, and groups nested in them."""
        directory = self.directory
        named = [item for item in self._by_type[0] if directory.principal(item).state is not PrincipalState.FOREIGN]
        nested = (
            below for item in named for below in directory.groups_below(item) if directory.type_of(below) == "Group"
        )
        return tuple(dict.fromkeys((*named, *nested)))

    @cached_property
    def service_principals(self) -> tuple[str, ...]:
        """Service principals with an application, that a record names: nobody adds a credential to a managed identity."""
        described = ((item, self.directory.principal(item)) for item in self._by_type[1])
        return tuple(
            item
            for item, principal in described
            if principal.service_principal_type != "ManagedIdentity" and principal.state is not PrincipalState.NOT_FOUND
        )


Places = Callable[[_Matters], Iterable[str]]


def _subscriptions(matters: _Matters) -> Iterable[str]:
    written = {"/".join(vault.id.split("/", 3)[:3]) for vault in matters.estate.vaults}
    known = {scopes.subscription_of(scopes.fold(item)) for item in written}
    return tuple(f"{scopes.SUBSCRIPTION_PREFIX}{item}" for item in sorted(item for item in known if item))


def _groups(matters: _Matters) -> Iterable[str]:
    return (f"groups/{item}" for item in matters.groups)


def _service_principals(matters: _Matters) -> Iterable[str]:
    return (f"servicePrincipals/{item}" for item in matters.service_principals)


def _every_service_principal(matters: _Matters) -> Iterable[str]:
    """Where a group matters: lists of owners leave service principals out, so each is asked what it owns."""
    if not matters.groups:
        return ()
    return tuple(
        f"servicePrincipals/{item.id}"
        for item in matters.estate.principals.values()
        if item.type == "ServicePrincipal" and item.state is PrincipalState.FOUND
    )


def _applications(matters: _Matters) -> Iterable[str]:
    """Registrations in this tenant of the service principals that a record names."""
    app_ids = {(matters.directory.principal(item).app_id or "").casefold() for item in matters.service_principals}
    return tuple(f"applications/{item.id}" for item in matters.estate.applications if item.app_id in app_ids)


def _registrations(matters: _Matters) -> Iterable[str]:
    return ("applications",) if matters.service_principals else ()


def _identities(matters: _Matters) -> Iterable[str]:
    """User-assigned identities that a record names."""
    named = matters.named
    return tuple(item.resource_id for item in matters.estate.user_assigned_identities if item.principal_id in named)


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
