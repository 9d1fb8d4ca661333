"""The schema of contracts, version 1 (ARCHITECTURE.md, "Contracts"): the models that a file is checked against."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Words = Annotated[list[Text], Field(max_length=200)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*?-]{1,500}$")]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=200)]
"""Not empty: a need about no object at all would be kept whatever is held."""


ONE_PLACE = "give either vault or vaults"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PrincipalSelector(_Strict):
    """Who the workload is, by exactly one name."""

    object_id: Text | None = Field(default=None, description="Object ID in Microsoft Entra ID.")
    app_id: Text | None = Field(default=None, description="Application (client) ID.")
    display_name: Text | None = Field(default=None, description="Display name; an error when several have it.")
    user_principal_name: Text | None = Field(default=None, description="For a person.")
    resource_id: Text | None = Field(
        default=None, description="Resource ID of a managed identity, or of what runs as one."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "PrincipalSelector":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self


class TagSelector(_Strict):
    """Vaults by their tags: all of these, values compared exactly."""

    tag: Annotated[dict[Text, str], Field(min_length=1)]


class Objects(_Strict):
    """Names of objects with `*` and `?`, compared without case. Without this, a need is about the whole vault."""

    secrets: Patterns | None = None
    keys: Patterns | None = None
    certificates: Patterns | None = None


class Workload(_Strict):
    """One workload."""

    name: Text
    principal: Text | PrincipalSelector = Field(
        description="Object ID, application ID, display name, user principal name, or resource ID of a managed identity."
    )
    vault: Text | None = Field(default=None, description="Name or resource ID.")
    vaults: Annotated[list[Text], Field(min_length=1)] | TagSelector | None = Field(
        default=None, description="Several, by name, ID or tag."
    )
    needs: Annotated[list[Text], Field(min_length=1, max_length=200)] = Field(
        description="Permission words: `secrets/get`, `keys/sign`. `kvaudit roles` lists them."
    )
    objects: Objects | None = None
    forbids: Words = Field(default_factory=list, description="Permission words that must stay denied.")

    @model_validator(mode="after")
    def _one_place(self) -> "Workload":
        if (self.vault is None) == (self.vaults is None):
            raise ValueError(ONE_PLACE)
        return self


class Defaults(_Strict):
    """What holds for every workload beside its own."""

    forbids: Words = Field(default_factory=list)


class ContractsFile(_Strict):
    """A file of contracts."""

    version: Literal[1]
    workloads: Annotated[list[Workload], Field(min_length=1)]
    defaults: Defaults = Field(default_factory=Defaults)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of contracts."""
    schema = ContractsFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:kvaudit:contracts:1",
        **schema,
        "title": "kvaudit contracts, version 1",
    }
