"""What a probe of one vault found: whether it can be reached, and what it lets the caller do. Two things, kept apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a vault said of one operation."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_PROBED = "not_probed"


class State(StrEnum):
    """Whether a vault can be reached by this identity from this machine; only `REACHABLE` says anything of operations."""

    REACHABLE = "reachable"
    NO_SUCH_NAME = "no_such_name"
    """The name has no address: there is no such vault, or a private DNS zone does not know it."""
    LOOKUP_FAILED = "lookup_failed"
    """Nobody could say whether the name has an address."""
    PROXY = "proxy"
    """The proxy did not get there; it is the proxy that looks up the name."""
    NO_CONNECTION = "no_connection"
    TLS = "tls"
    NO_ANSWER = "no_answer"
    FIREWALL = "firewall"
    PRIVATE_LINK = "private_link"
    OTHER_TENANT = "other_tenant"
    SOFT_DELETED = "soft_deleted"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a state, not a token
    NO_TOKEN = "no_token"  # noqa: S105
    NOT_UNDER_SUFFIX = "not_under_suffix"
    """The address is under no vault suffix of the cloud: no token goes there."""


TRANSIENT = frozenset(
    {
        State.LOOKUP_FAILED,
        State.NO_CONNECTION,
        State.NO_ANSWER,
        State.PROXY,
        State.FIREWALL,
        State.PRIVATE_LINK,
        State.TLS,
    }
)
"""States that a change elsewhere ends within minutes, so that waiting can help."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a vault.

    Attributes:
        name: `dns`, `tcp`, `tls`, `healthstatus` or `challenge`.
        result: `ok`, `failed` or `skipped`.
        detail: one clause for a person.
    """

    name: str
    result: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a vault can be reached.

    Attributes:
        because: one sentence.
        tenant_id: folded tenant whose tokens the vault takes, as its challenge says, or None.
        client_address: the address that the vault saw, or None.
    """

    state: State
    because: str
    steps: tuple[Step, ...] = ()
    tenant_id: str | None = None
    client_address: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a vault said of one operation.

    Attributes:
        word: permission word.
        because: the call and its answer, or why there was none.
        status: HTTP status, or None.
        code: the service's error code, or None.
        deny_assignment: ID of the deny assignment that the service names, or None.
        decision: the service's `DecisionReason`, folded; "" where it named none.
        call: id of the call in the catalogue of operations (`secret.listDeleted`), "" for a canary's write.
        shown: the call, for a person: `GET /deletedsecrets`.
        decides: whether it is the verdict for its operation; a call that needs the same permission is told beside it.
    """

    word: str
    outcome: Outcome
    because: str
    status: int | None = None
    code: str | None = None
    deny_assignment: str | None = None
    decision: str = ""
    call: str = ""
    shown: str = ""
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Probed:
    """One vault, probed once. `found` has one entry for each call that is a probe, in the catalogue's order."""

    host: str
    reach: Reach
    found: tuple[Found, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every call that is a probe got an answer with a meaning."""
        return all(item.outcome is not Outcome.NOT_PROBED for item in self.found)

    def __iter__(self) -> Iterator[Found]:
        return iter(self.found)
