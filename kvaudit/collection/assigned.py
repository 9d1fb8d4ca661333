"""Groups of single principals without Microsoft Graph: which assignments of groups reach them, by Resource Manager."""

from collections.abc import Iterable

from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.assigned_groups import ASSIGNED_GROUPS, assigned_scope, names_group_of
from kvaudit.collectors.directory import GROUP_MEMBERS, PRINCIPALS, SERVICE_PRINCIPAL_GROUPS


async def read_assigned(reading: Reading, principals: Iterable[str], subscriptions: Iterable[str]) -> None:
    """Asks what reaches principals through groups, where the directory did not let the groups be read.

    Args:
        reading: what the collection shares; the directory was asked.
        principals: folded object IDs of users and service principals.
        subscriptions: folded scopes of those that hold vaults in question.
    """
    if not reading.refused_kinds & {PRINCIPALS.kind, GROUP_MEMBERS.kind, SERVICE_PRINCIPAL_GROUPS.kind}:
        return
    places = list(subscriptions)
    await together(_read(reading, principal, scope) for principal in sorted(set(principals)) for scope in places)


async def _read(reading: Reading, principal: str, scope: str) -> None:
    pages = reading.azure.arm_pages(
        ASSIGNED_GROUPS.path.replace("{scope}", scope),
        api_version=ASSIGNED_GROUPS.api_version or "",
        query=ASSIGNED_GROUPS.query_at(f"{scope}/{principal}"),
    )
    await reading.store(
        ASSIGNED_GROUPS,
        assigned_scope(scope, principal),
        pages,
        keep=names_group_of(principal),
        # An ID that is neither a user nor a service principal is refused, and is then in no group that this would name.
        none_when=lambda problem: problem.status == 400,
    )
