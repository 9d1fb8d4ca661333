"""E29: services of Microsoft that have access: whoever uses the service in the tenant may be able to point it at the vault.

Application IDs: Microsoft, entra verify-first-party-apps-sign-in, and the documentation of each service.
"""

from collections.abc import Iterator, Mapping

from kvaudit.access.escalation.steps import Step
from kvaudit.model.answers import Answer
from kvaudit.model.directory import Principal

FIRST_PARTY: Mapping[str, str] = {
    "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d": "Azure Databricks",
    "abfa0a7c-a6b6-4736-8310-5855508787cd": "Azure App Service",
    "205478c0-bd83-4e1b-a9d6-db63a3e1e1c8": "Azure Front Door",
    "ad0e1c7e-6d38-4ba4-9efd-0bc77ba9f037": "Azure Front Door (classic)",
}


def steps(principal: Principal) -> Iterator[Step]:
    """E29 of a service principal that has access; nothing for any that is not such a service."""
    service = FIRST_PARTY.get((principal.app_id or "").casefold())
    if service:
        how = f"every user of {service} in the tenant who can point it at the vault reads through it"
        yield Step("E29", Answer.UNKNOWN, 0, how, "who can do so depends on the service and is not collected")
