"""What an explanation says."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kvaudit.remediation import Fix


class Kind(StrEnum):
    """What went wrong (ARCHITECTURE.md, section 6: these words are promised)."""

    MISSING_ROLE = "missing_role"
    MISSING_POLICY = "missing_policy"
    WRONG_MODEL = "wrong_model"
    DENY_ASSIGNMENT = "deny_assignment"
    CONDITION = "condition"
    PROPAGATION = "propagation"
    FIREWALL = "firewall"
    PRIVATE_LINK = "private_link"
    TENANT = "tenant"
    TOKEN_AUDIENCE = "token_audience"  # noqa: S105 - a kind of error
    STALE_TOKEN = "stale_token"  # noqa: S105
    CLAIMS_CHALLENGE = "claims_challenge"
    WRONG_IDENTITY = "wrong_identity"
    OBJECT_DISABLED = "object_disabled"
    KEY_OPERATION = "key_operation"
    AZURE_POLICY = "azure_policy"
    SOFT_DELETED = "soft_deleted"
    BEING_DELETED = "being_deleted"
    NAME_TAKEN = "name_taken"
    THROTTLED = "throttled"
    MODEL_CHANGE_REFUSED = "model_change_refused"
    PRINCIPAL_NOT_FOUND = "principal_not_found"
    ROLE_ASSIGNMENT_EXISTS = "role_assignment_exists"
    CONTROL_PLANE_AUTHORIZATION = "control_plane_authorization"
    LINKED_AUTHORIZATION = "linked_authorization"
    SCOPE_LOCKED = "scope_locked"
    ASSIGNMENT_LIMIT = "assignment_limit"
    VAULT_NOT_FOUND = "vault_not_found"
    OBJECT_NOT_FOUND = "object_not_found"
    POLICIES_REPLACED = "policies_replaced"
    TEMPLATE_ACCESS = "template_access"
    BAD_REQUEST = "bad_request"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How sure the kind is: the service's own code says it, its words point there, or neither."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason, the likeliest first.

    Attributes:
        cause: one sentence.
        because: what in the error, or in the snapshot, says so.
        fix: the smallest change, or None where there is none to make.
        beside: whether it belongs to another kind that the text shows as well.
    """

    cause: str
    because: str
    fix: Fix | None = None
    beside: bool = False

    def as_json(self) -> dict[str, Any]:
        """`{"cause", "because", "fix"}`."""
        return {"cause": self.cause, "because": self.because, "fix": self.fix.as_json() if self.fix else None}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called, as far as the error says.

    Attributes:
        object_id, app_id, tenant_id: folded, or None.
        name: as written: a user principal name, an application.
        address: of the client, where the firewall names it.
    """

    object_id: str | None = None
    app_id: str | None = None
    tenant_id: str | None = None
    name: str | None = None
    address: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Every field."""
        return {
            "object_id": self.object_id,
            "app_id": self.app_id,
            "tenant_id": self.tenant_id,
            "name": self.name,
            "address": self.address,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error, explained.

    Attributes:
        confidence: `CERTAIN` only where the text shows this kind alone.
        also: other kinds that the text shows.
        status: HTTP status, or None.
        operation: permission word, or None.
        data_action: the data action or control-plane action that was refused, or None.
        vault: its name, or None.
        object: `secrets/NAME`, or None.
        next_step: one sentence: what to do now.
    """

    kind: Kind
    confidence: Confidence
    status: int | None = None
    operation: str | None = None
    data_action: str | None = None
    caller: Caller = field(default_factory=Caller)
    vault: str | None = None
    object: str | None = None
    causes: tuple[Cause, ...] = ()
    next_step: str = ""
    also: tuple[Kind, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The promised form (ARCHITECTURE.md, section 6), and `also`."""
        return {
            "kind": self.kind.value,
            "confidence": self.confidence.value,
            "also": [item.value for item in self.also],
            "status": self.status,
            "operation": self.operation,
            "data_action": self.data_action,
            "caller": self.caller.as_json(),
            "vault": self.vault,
            "object": self.object,
            "causes": [item.as_json() for item in self.causes],
            "next_step": self.next_step,
        }
