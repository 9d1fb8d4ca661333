"""Names, kinds and memberships of the principals that records name, from Microsoft Graph."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.batches import Question, ask, portions
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.directory import (
    DELETED_PRINCIPALS,
    GET_BY_IDS_LIMIT,
    GROUP_MEMBERS,
    PRINCIPALS,
    SERVICE_PRINCIPAL_GROUPS,
    SERVICE_PRINCIPALS,
    batch_scope,
    deleted_scope,
    groups_scope,
    members_scope,
    object_type,
)

_CLOSED = "Microsoft Graph did not let the directory be read; it was not asked about this"

SERVICE_PRINCIPALS_SCOPE = "servicePrincipals"
"""The listing's scope of all service principals of the tenant."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Directory:
    """What was read of the directory, for the reads that follow it.

    Attributes:
        is_open: whether the directory answered at all.
        principals: raw, by folded ID.
        asked: folded IDs that were looked up to the end.
        groups: folded IDs of the groups that records name, and of the groups in them.
        service_principals: raw, of the whole tenant.
        groups_of: folded ID of a service principal -> folded IDs of the groups it is in.
    """

    is_open: bool = True
    principals: dict[str, Any] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    service_principals: list[Any] = field(default_factory=list)
    groups_of: dict[str, set[str]] = field(default_factory=dict)

    def type_of(self, principal_id: str) -> str | None:
        """The principal type of a folded ID in Azure's words, or None where it is not known."""
        return type_of(self.principals.get(principal_id))


async def read_directory(
    reading: Reading, named: frozenset[str], groups: frozenset[str], *, with_service_principals: bool
) -> Directory:
    """Reads who the named principals are, the members of their groups, and the groups of every service principal.

    Args:
        reading: what the collection shares.
        named: folded IDs of every principal that a record names. One that is no GUID cannot be looked up.
        groups: those that a record calls a group: asked for members also when their names could not be read.
        with_service_principals: whether all service principals are listed although no group asks for it.
    """
    directory = Directory()
    await look_up(reading, directory, named)
    ids = sorted(directory.asked - set(directory.principals))
    await ask(
        reading, (Question(DELETED_PRINCIPALS, deleted_scope(item), whole=_DELETED, is_object=True) for item in ids)
    )
    holders = {item for item in directory.principals if directory.type_of(item) == "Group"}
    holders |= {item for item in groups - directory.asked if _ID.fullmatch(item)}
    directory.is_open = bool(directory.principals or directory.asked) or PRINCIPALS.kind not in reading.refused_kinds
    if not directory.is_open:
        if holders:
            # Without any answer from the directory each group would be refused the same way: one gap a kind says it.
            reading.gap(GROUP_MEMBERS, "groups", not_asked(reading))
            reading.gap(SERVICE_PRINCIPAL_GROUPS, SERVICE_PRINCIPALS_SCOPE, not_asked(reading))
        return directory
    await together(
        (
            read_members(reading, directory, holders),
            _read_service_principals(reading, directory, are_listed=with_service_principals, are_members=bool(holders)),
        )
    )
    return directory


_DELETED = "directory/deletedItems"


def not_asked(reading: Reading) -> ReadFailure:
    """Why nothing else is asked of a directory that refused the first question."""
    return ReadFailure(_CLOSED, status=403 if PRINCIPALS.kind in reading.forbidden_kinds else None)


def type_of(raw: Any) -> str | None:
    """The principal type of a directory object, or None where it cannot be told; the loader tells an unreadable one."""
    try:
        return object_type(raw)
    except (KeyError, TypeError, ValueError):
        return None


def ids_of(items: Iterable[Any], key: str = "id") -> list[str]:
    """Folded IDs in raw items, each once, in order; what is no GUID is left out.

    Args:
        items: raw.
        key: where the ID stands.
    """
    texts = (item.get(key) for item in items if isinstance(item, dict))
    folded = (text.strip().casefold() for text in texts if isinstance(text, str))
    return list(dict.fromkeys(item for item in folded if _ID.fullmatch(item)))


async def look_up(reading: Reading, directory: Directory, ids: Iterable[str]) -> None:
    """Asks Graph who IDs are that were not asked about yet. IDs that are no GUID are left out."""

    async def read(portion: Sequence[str]) -> None:
        scope = batch_scope(portion)

        async def pages() -> AsyncIterator[Page]:
            answer = await _described(reading, scope, {"ids": list(portion)})
            items = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise ReadFailure("Microsoft Graph answered no list", status=200, code="UnexpectedAnswer")
            yield Page(items)
            if answer.get("@odata.nextLink") is not None:  # whoever is on a later page is not deleted
                async for page in reading.azure.graph_pages(PRINCIPALS.path, link=answer["@odata.nextLink"]):
                    yield page

        items = await reading.store(PRINCIPALS, scope, pages())
        directory.principals |= {
            item["id"].casefold(): item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)
        }
        if reading.is_finished(PRINCIPALS.kind, scope):
            directory.asked.update(portion)

    unknown = sorted({item for item in ids if _ID.fullmatch(item)} - directory.asked)
    await together(map(read, portions(unknown, GET_BY_IDS_LIMIT)))


async def _described(reading: Reading, scope: str, body: Mapping[str, Any]) -> Any:
    """What getByIds answers, with the properties that are asked for; without them where it does not take that.

    Raises:
        ReadFailure: neither was answered.
    """
    asked = f"{PRINCIPALS.path}?$select={PRINCIPALS.query['$select']}"
    if PRINCIPALS.kind not in reading.plain_kinds:
        try:
            return await reading.azure.graph_post(asked, body)
        except ReadFailure as problem:
            if problem.status != 400:
                raise
            refused = problem
        answer = await reading.azure.graph_post(PRINCIPALS.path, body)
        reading.plain(PRINCIPALS, scope, refused)
        return answer
    return await reading.azure.graph_post(PRINCIPALS.path, body)


async def read_members(reading: Reading, directory: Directory, groups: Iterable[str]) -> set[str]:
    """Reads the direct members of groups, then of the groups in them, each group once.

    Returns:
        the groups that were not known before: those that were given, and those found in them.
    """
    new: set[str] = set()
    waiting = [item for item in dict.fromkeys(sorted(groups)) if item not in directory.groups]
    while waiting:
        new.update(waiting)
        directory.groups.update(waiting)
        hidden = await _hidden(reading, directory, waiting)
        # A resumed run takes the members of groups that are finished from the snapshot: groups in them may not be.
        found = await ask(reading, (_members_question(group, hidden) for group in waiting))
        below = [item for items in found.values() for item in items if type_of(item) == "Group"]
        directory.principals.update({group: item for item in below for group in ids_of([item])})
        inner = ids_of(below)
        waiting = [item for item in inner if item not in directory.groups]
    return new


_READS_HIDDEN = "Member.Read.Hidden"

_HIDDEN = ReadFailure(
    f"the group's membership is hidden and the token does not name {_READS_HIDDEN}: its list may leave members out",
    status=403,
    code="HiddenMembership",
)
"""How Graph answers such a list without the permission is not documented (facts azure.md 2.1), so no answer is believed whole."""


async def _hidden(reading: Reading, directory: Directory, groups: Iterable[str]) -> frozenset[str]:
    """Those of groups whose members the caller may not see. Groups of which the visibility was not told are not among them."""
    found = frozenset(item for item in groups if hides_members(directory.principals.get(item)))
    return found if found and _READS_HIDDEN not in await reading.azure.graph_permissions() else frozenset()


def _members_question(group: str, hidden: frozenset[str]) -> Question:
    return Question(GROUP_MEMBERS, members_scope(group), doubt=_HIDDEN if group in hidden else None)


def hides_members(raw: Any) -> bool:
    """Whether a directory object is a group whose membership is hidden."""
    visibility = raw.get("visibility") if isinstance(raw, dict) else None
    return isinstance(visibility, str) and visibility.casefold() == "hiddenmembership"


async def _read_service_principals(
    reading: Reading, directory: Directory, *, are_listed: bool, are_members: bool
) -> None:
    """Every service principal and the groups it is in: v1.0 leaves them out of the members of groups (azure.md 2.1)."""
    if not (are_listed or are_members):
        return
    pages = reading.azure.graph_pages(SERVICE_PRINCIPALS.path, query=SERVICE_PRINCIPALS.query)
    directory.service_principals = await reading.store(SERVICE_PRINCIPALS, SERVICE_PRINCIPALS_SCOPE, pages)
    if are_members:
        ids = ids_of(directory.service_principals)
        found = await ask(reading, (Question(SERVICE_PRINCIPAL_GROUPS, groups_scope(item)) for item in ids))
        directory.groups_of = _groups_of(found)


def _groups_of(found: Mapping[tuple[str, str], list[Any]]) -> dict[str, set[str]]:
    return {scope.rpartition("/")[2]: set(ids_of(items)) for (_, scope), items in found.items()}
