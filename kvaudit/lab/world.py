"""A running lab's state: the estate, the clock, the tokens it issued, what was asked, and what has not taken effect yet."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

import orjson

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.http import Caller, Request, Response
from kvaudit.lab.instants import runs

Derived = TypeVar("Derived")
Clock = Callable[[], datetime]
Interceptor = Callable[["World", Request], Response | None]
"""Looks at a request before its face does; an answer other than None is sent instead of the face's (faults, throttling)."""

TOKEN_LIFETIME = timedelta(seconds=3599)
"""Lifetime of an access token (`expires_in` of a client-credentials answer of the Microsoft identity platform)."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request that the lab answered.

    Attributes:
        at: by the lab's clock.
        query: decoded.
        status: of the answer.
        caller: object id of the token, None without one.
        request_bytes, response_bytes: sizes of the bodies.
        body: the request's body; nothing of an answer is kept.
    """

    at: datetime
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    status: int
    caller: str | None
    request_bytes: int
    response_bytes: int
    body: bytes = b""


class BadConnection(Enum):
    """What goes wrong with a connection before there is a request."""

    NO_ADDRESS = "the name does not resolve"
    UNTRUSTED = "the certificate is of an authority that nobody trusts, as that of a proxy that breaks TLS open"


@dataclass(slots=True)
class World:
    """Everything that changes while a lab runs.

    Attributes:
        estate: the raw stores; writes change them.
        clock: the lab's clock; `advance` moves it on top.
        offset: how far `advance` has moved the clock.
        propagation: how long after its write a role assignment takes effect, or stops taking effect.
        page_size: items a page of ARM lists.
        empty_pages: whether vault lists begin with an empty page that has a nextLink.
        resource_graph_has_object_scopes: whether Resource Graph lists assignments on single objects (not established).
        resource_graph_has_conditions: whether Resource Graph shows the conditions of assignments (not established).
        resource_graph_lacks: folded IDs of subscriptions that Resource Graph does not know (yet) and leaves out silently.
        hidden_groups_look_empty: whether Graph lists no members of a group with hidden membership, and does not refuse
            (not documented).
        journal: every request, oldest first.
        interceptors: asked in order before a face is.
        faults: injected faults (see `kvaudit.lab.faults`).
        connecting: asked in order, with the host, before a connection is made: what goes wrong with it, or None.
        effective_from: by folded role assignment id: when a new one takes effect.
        purge_due: by folded deleted-vault id: when a vault deleted while the lab ran is purged.
        lingering: deleted role assignments that still take effect until the given time.
        revision: moved by every write to the estate; call `changed()` after a write.
        signing_key: of the access tokens.
    """

    estate: Estate
    clock: Clock = lambda: datetime.now(UTC)
    offset: timedelta = timedelta(0)
    propagation: timedelta = timedelta(0)
    page_size: int = 50
    empty_pages: bool = False
    resource_graph_has_object_scopes: bool = False
    resource_graph_has_conditions: bool = False
    resource_graph_lacks: frozenset[str] = frozenset()
    hidden_groups_look_empty: bool = False
    journal: list[JournalEntry] = field(default_factory=list)
    interceptors: list[Interceptor] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    connecting: list[Callable[[str], BadConnection | None]] = field(default_factory=list)
    effective_from: dict[str, datetime] = field(default_factory=dict)
    purge_due: dict[str, datetime] = field(default_factory=dict)
    lingering: list[tuple[Raw, datetime]] = field(default_factory=list)
    revision: int = 0
    signing_key: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    _callers: dict[str, Caller] = field(default_factory=dict)
    _derived: dict[str, tuple[tuple[int, ...], Any]] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time in this world."""
        return self.clock() + self.offset

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.offset += by

    def changed(self) -> None:
        """Tell that the estate was written to; what was derived from it is derived anew."""
        self.revision += 1

    def derive(self, name: str, build: Callable[[], Derived], *watched: Sized) -> Derived:
        """What is worked out from the estate, kept until the next write.

        Args:
            name: under which it is kept.
            build: works it out.
            watched: stores whose change of size also counts as a write, for whoever writes without telling.
        """
        stamp = (self.revision, *(len(store) for store in watched))
        known = self._derived.get(name)
        if known is None or known[0] != stamp:
            known = (stamp, build())
            self._derived[name] = known
        found: Derived = known[1]
        return found

    def groups_of(self, object_id: str) -> frozenset[str]:
        """Folded ids of every group that holds this object, directly or through groups. Cycles are borne.

        Eligible members are in no group until they activate; then they are, while the activation runs.
        """
        parents = self.derive("direct groups", self._direct_groups, self.estate.members)

        def direct(member: str) -> list[str]:
            activated = (fold(raw["groupId"]) for raw in self._activated("member", principal=member))
            return [*parents.get(member, ()), *activated]

        return _transitive_groups(direct, fold(object_id))

    def members_of(self, group: str) -> list[str]:
        """Folded ids of a group's direct members: standing ones, and those whose activation is running."""
        return self._with_activated(self.estate.members.get(fold(group), ()), "member", group)

    def owners_of(self, object_id: str) -> list[str]:
        """Folded ids of the owners of a group, application or service principal, with those activated for a group."""
        return self._with_activated(self.estate.owners.get(fold(object_id), ()), "owner", object_id)

    def _with_activated(self, standing: Iterable[str], access: str, group: str) -> list[str]:
        activated = (fold(raw["principalId"]) for raw in self._activated(access, group=fold(group)))
        return list(dict.fromkeys([*map(fold, standing), *activated]))

    def _activated(self, access: str, *, group: str = "", principal: str = "") -> Iterator[Raw]:
        """What is active through PIM for Groups at this moment, of a group or of a principal."""
        store = self.estate.group_assignment_schedule_instances
        name = f"g{group}" if group else f"p{principal}"
        for raw in self.derive("activations", self._activations, store).get((access, name), ()):
            if runs(raw.get("startDateTime"), raw.get("endDateTime"), self.now()):
                yield raw

    def _activations(self) -> dict[tuple[str, str], list[Raw]]:
        """By access and `g` with the id of the group, and by access and `p` with the id of the principal."""
        found: dict[tuple[str, str], list[Raw]] = {}
        for raw in self.estate.group_assignment_schedule_instances.values():
            access = str(raw.get("accessId") or "member").casefold()
            for name in ("groupId", "principalId"):
                found.setdefault((access, f"{name[0]}{fold(raw[name])}"), []).append(raw)
        return found

    def _direct_groups(self) -> dict[str, list[str]]:
        parents: dict[str, list[str]] = {}
        for group, members in self.estate.members.items():
            for member in members:
                parents.setdefault(fold(member), []).append(group)
        return parents

    def vault_named(self, name: str) -> Raw | None:
        """The living vault of this name (names are unique per cloud), else None."""
        names = self.derive(
            "vault names",
            lambda: {str(vault["name"]).casefold(): vault for vault in self.estate.vaults.values()},
            self.estate.vaults,
        )
        return names.get(name.casefold())

    def caller_for(
        self, object_id: str, *, audience: str = "https://management.azure.com", application: str | None = None
    ) -> Caller:
        """The caller that a fresh token of this principal makes.

        Args:
            object_id: a user, service principal or (for questions in tests) group.
            audience: resource of the token.
            application: for a user: the client id of the application that acts for the user.
        """
        principal = self.estate.service_principals.get(fold(object_id))
        app_id = principal["appId"] if principal is not None else application
        now = self.now()
        return Caller(
            tenant_id=self.estate.tenant_of(object_id),
            object_id=object_id,
            app_id=app_id,
            groups=self.groups_of(object_id),
            audience=audience,
            token_expires=now + TOKEN_LIFETIME,
            kind="app" if principal is not None else "user",
            issued_at=now,
        )

    def issue_token(self, caller: Caller, roles: Iterable[str] = ()) -> str:
        """A signed JWT for this caller, which `caller_of` knows again.

        Args:
            caller: who holds it.
            roles: the caller's permissions of the API that the token is for.
        """
        issued = caller.issued_at or self.now()
        claims = {
            "aud": caller.audience,
            "iss": f"https://sts.windows.net/{caller.tenant_id}/",
            "iat": int(issued.timestamp()),
            "nbf": int(issued.timestamp()),
            "exp": int(caller.token_expires.timestamp()),
            "appid": caller.app_id,
            "idtyp": caller.kind,
            "oid": caller.object_id,
            "sub": caller.object_id,
            "tid": caller.tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
            **_group_claims(caller.groups),
            **({"roles": sorted(roles)} if roles else {}),
        }
        token = _signed(claims, self.signing_key)
        self._callers[token] = caller
        return token

    def caller_of(self, headers: Mapping[str, str]) -> Caller | None:
        """Whom the `Authorization` header names; None when there is none or it holds no token of this lab."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._callers.get(token.strip()) if scheme.casefold() == "bearer" else None

    def expired(self, caller: Caller) -> bool:
        """Whether the caller's token has ended by the lab's clock."""
        return self.now() >= caller.token_expires


GROUP_CLAIM_LIMIT = 200
"""Groups that a JWT holds at most; above, the claim is left out (learn.microsoft.com how-to-connect-fed-group-claims)."""


def _group_claims(groups: Iterable[str]) -> dict[str, Any]:
    listed = sorted(groups)
    if not listed:
        return {}
    if len(listed) > GROUP_CLAIM_LIMIT:
        return {"_claim_names": {"groups": "src1"}}
    return {"groups": listed}


def _transitive_groups(direct: Callable[[str], list[str]], start: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = direct(start)
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += direct(group)
    return frozenset(found)


def _signed(claims: Mapping[str, Any], key: bytes) -> str:
    head = _base64url(orjson.dumps({"typ": "JWT", "alg": "HS256", "kid": "lab"}))
    body = _base64url(orjson.dumps(claims))
    signature = _base64url(hmac.new(key, head + b"." + body, hashlib.sha256).digest())
    return b".".join((head, body, signature)).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
