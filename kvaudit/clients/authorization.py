"""Microsoft.Authorization through azure-mgmt-authorization, for the lists whose api-version it has.

Traps that this room keeps to itself: the package's top-level client shares one mutable api-version between its operation
groups, so a next link of one list is asked with the version of another: the versioned clients are used. Its models drop
what they do not know (`condition` of a permission, `principalType` of a newer kind), so the raw answer is taken by
`raw_response_hook`, and an answer that its models cannot bear is no loss. Lists it has in no fitting version (deny
assignments with their effect, role definitions with the conditions of their permissions) go through `Azure.get`.
"""

from collections.abc import Callable
from typing import Any

import orjson
from azure.core.exceptions import DeserializationError
from azure.mgmt.authorization.v2020_10_01.aio import AuthorizationManagementClient as Schedules
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient as Assignments

_LISTS: dict[tuple[str, str], tuple[type[Any], str]] = {
    ("roleassignments", "2022-04-01"): (Assignments, "role_assignments"),
    ("roleeligibilityscheduleinstances", "2020-10-01"): (Schedules, "role_eligibility_schedule_instances"),
    ("roleassignmentscheduleinstances", "2020-10-01"): (Schedules, "role_assignment_schedule_instances"),
}


def listed(path: str, api_version: str | None) -> tuple[str, str] | None:
    """The scope and the resource type of a list that azure-mgmt-authorization has in this api-version, or None."""
    scope, found, kind = path.rpartition("/providers/Microsoft.Authorization/")
    return (scope, kind.casefold()) if found and (kind.casefold(), api_version) in _LISTS else None


class AuthorizationLists:
    """Lists of one endpoint.

    Args:
        endpoint: Resource Manager.
        policies: makes the policies of one client.
        transport: the shared one.
    """

    def __init__(self, endpoint: str, credential: Any, policies: Callable[[], list[Any]], transport: Any) -> None:
        shared: dict[str, Any] = {"base_url": endpoint, "transport": transport}
        self._clients: dict[type[Any], Any] = {
            Schedules: Schedules(credential, policies=policies(), **shared),
            Assignments: Assignments(credential, subscription_id="", policies=policies(), **shared),
        }

    async def page(
        self, scope: str, resource_type: str, api_version: str, query: dict[str, str], link: str | None
    ) -> Any:
        """The parsed body of one page: the first, or the one that a next link names.

        Raises:
            AzureError: the read failed.
        """
        client, group = _LISTS[resource_type, api_version]
        answers: list[Any] = []
        pager = getattr(self._clients[client], group).list_for_scope(
            scope.lstrip("/"), filter=query.get("$filter"), raw_response_hook=answers.append
        )
        try:
            async for _ in pager.by_page(continuation_token=link):
                break
        except (DeserializationError, AttributeError, TypeError, ValueError, KeyError):
            # The package's models could not bear the answer; what Azure sent is there all the same.
            if not answers:
                raise
        return orjson.loads(answers[-1].http_response.body())
