"""A collection as data: listings with their pages, some of which fail half way; and writing it, as a run would."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.layout import listing_key
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

TENANT = "11111111-1111-1111-1111-111111111111"
HEADER = {"tool_version": "1.2.3", "tenant_id": TENANT, "scope": {"subscriptions": ["production"]}}
ENDED = "2026-11-24T08:00:00Z"
SUBSCRIPTIONS = ("/subscriptions/aaaaaaaa", "/subscriptions/bbbbbbbb")
ROLE = "4633458b-17de-408a-b874-0445c86b69e6"  # Key Vault Secrets User, a published ID


@dataclass(frozen=True)
class Listed:
    """One listing. `fails`: after its pages a request failed, so it has a gap and is not finished."""

    kind: str
    scope: str
    pages: tuple[tuple[Any, ...], ...] = ()
    fails: bool = False


def write(writer: SnapshotWriter, listing: Listed) -> None:
    """Writes one listing, as a collection does."""
    for page in listing.pages:
        writer.add_page(listing.kind, listing.scope, page)
    if listing.fails:
        writer.add_gap(Gap(listing.kind, listing.scope, "the service answered 403", status=403, code="Forbidden"))
    else:
        count = sum(map(len, listing.pages))
        writer.finish_listing(
            listing.kind, listing.scope, items=count, pages=len(listing.pages), api_version="2022-04-01"
        )


def write_all(path: Path, listings: Iterable[Listed], *, complete: bool = True) -> Path:
    """A whole snapshot."""
    writer = SnapshotWriter.create(path, header=HEADER)
    for listing in listings:
        write(writer, listing)
    writer.close(complete=complete, ended_at=ENDED)
    return path


def write_missing(writer: SnapshotWriter, listings: Iterable[Listed]) -> None:
    """What a resumed run does: writes the listings that are not finished."""
    for listing in listings:
        if listing_key(listing.kind, listing.scope) not in writer.finished:
            write(writer, listing)


def load(path: Path) -> Estate:
    """The estate of a snapshot folder."""
    return load_estate(open_snapshot(path, verify=True))


def said(estate: Estate) -> dict[str, Any]:
    """Everything that an estate says, with what its records leave out when they are compared."""
    facts: dict[str, Any] = {item.name: getattr(estate, item.name) for item in fields(estate)}
    facts["listed_from"] = [(record.id, record.listed_from) for record in estate.role_assignments]
    return facts


def assignment(
    number: int, *, scope: str = SUBSCRIPTIONS[0], principal: str = "anna", kind: str | None = "User", **more: Any
) -> dict[str, Any]:
    """A role assignment as Resource Manager sends it."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{number}",
        "properties": {
            "scope": scope,
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
            "principalId": principal,
            "principalType": kind,
            **more,
        },
    }


def vault(name: str, *, subscription: str = SUBSCRIPTIONS[0], **properties: Any) -> dict[str, Any]:
    """A vault as Resource Manager sends it."""
    return {
        "id": f"{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}",
        "name": name,
        "properties": {"tenantId": TENANT, "enableRbacAuthorization": True, "accessPolicies": [], **properties},
    }


def graph(kind: str, identifier: str, **more: Any) -> dict[str, Any]:
    """A directory object as Graph sends it; its name is its ID unless said otherwise."""
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": identifier, "displayName": identifier, **more}


_NAMES = st.sampled_from(["kv-a", "kv-b", "KV-A", "kv-c"])
_PEOPLE = st.sampled_from(["anna", "bo", "Anna", "app-1", "team"])
_ROOTS = st.sampled_from(["/", "/providers/Microsoft.Management/managementGroups/top", *SUBSCRIPTIONS])
_BROKEN: st.SearchStrategy[Any] = st.sampled_from([None, {}, [], "x", 2**70, {"id": 5}, {"id": "\ud800"}])
_ASSIGNMENTS = st.builds(assignment, st.integers(1, 4), scope=_ROOTS, principal=_PEOPLE)
_VAULTS = st.builds(
    vault, _NAMES, subscription=st.sampled_from(SUBSCRIPTIONS), enableRbacAuthorization=st.sampled_from([True, None, 3])
)
_OBJECTS = st.builds(graph, st.sampled_from(["user", "group", "servicePrincipal", "directoryRole"]), _PEOPLE)


def _pages(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[tuple[Any, ...], ...]]:
    page = st.lists(st.one_of(items, items, items, _BROKEN), max_size=4).map(tuple)
    return st.lists(page, max_size=3).map(tuple)


def _listing(kind: str, scopes: Iterable[str], items: st.SearchStrategy[Any]) -> st.SearchStrategy[Listed]:
    return st.builds(
        Listed,
        st.just(kind),
        st.sampled_from(list(scopes)),
        _pages(items),
        st.sampled_from([False, False, False, True]),
    )


collections: st.SearchStrategy[list[Listed]] = st.lists(
    st.one_of(
        _listing("role_assignments", SUBSCRIPTIONS, _ASSIGNMENTS),
        _listing("vaults", SUBSCRIPTIONS, _VAULTS),
        _listing("group_members", ["groups/team", "groups/anna"], _OBJECTS),
        _listing("service_principal_groups", ["servicePrincipals/app-1"], _OBJECTS),
        _listing("principals", ["directoryObjects/getByIds/1", "directoryObjects/getByIds/2"], _OBJECTS),
        _listing("deleted_principals", ["directory/deletedItems/anna", "directory/deletedItems/bo"], _OBJECTS),
    ),
    max_size=10,
    unique_by=lambda item: (item.kind, item.scope.casefold()),
)
