"""Estates from a seed in which nothing is as it should be: records that contradict each other, odd names and types, gaps anywhere.

Larger than those of `drawn_estates` and drawn without Hypothesis: two hundred of them take seconds, and one is made again by its
seed alone.
"""

import random
from itertools import product

from builders import OPEN_NETWORK, OTHER_TENANT, SUBSCRIPTION_ID, TENANT, builtin_guid, guid, management_group, vault

from kvaudit.model.authorization import (
    EVERYONE,
    DenyAssignment,
    DenyPrincipal,
    Permission,
    RoleAssignment,
    RoleDefinition,
    ScheduleInstance,
)
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.identities import GroupScheduleInstance
from kvaudit.model.scopes import fold
from kvaudit.model.vaults import (
    AccessPolicy,
    ObjectRef,
    PermissionModel,
    PermissionModelSource,
    Vault,
    VaultObject,
)

PAST, NOW, LATER, MUCH_LATER = (f"{day}T00:00:00Z" for day in ("2026-11-01", "2026-11-24", "2026-12-01", "2026-12-31"))
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
ON_SECRETS = "Microsoft.KeyVault/vaults/*/secrets/*"
WRITE = "Microsoft.KeyVault/vaults/write"
BUILT_IN = (
    *("Owner", "Contributor", "Reader", "User Access Administrator", "Key Vault Administrator", "Key Vault Reader"),
    *("Key Vault Secrets User", "Key Vault Secrets Officer", "Key Vault Crypto User", "Key Vault Certificates Officer"),
    *("Key Vault Data Access Administrator", "Key Vault Contributor"),
)
NEVER_READ = guid("a role that nobody read")
TYPES = (None, "User", "Group", "ServicePrincipal")
NAMES = ("kv-a", "KV-A2", "kv-b", "Kv-B", "kv-c", "kv-", "K", "kv-é", "kv-*")
LITERALS = ("kv-a", "KV-A", "kv-b", "Kv-B", r"kv-\\*", "kv-a*", "kv-?", "*A", "k*-?*", "kv-c", "*", "kv-ß", "kv-\u212a")
OPERATORS = (
    *("StringEquals", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotEqualsIgnoreCase", "StringLike"),
    *("StringNotLike", "StringLikeIgnoreCase", "StringStartsWith", "GuidEquals", "ForAnyOfAnyValues:StringEquals"),
    *("ForAllOfAllValues:StringNotEquals", "ForAnyOfAnyValues:StringLikeIgnoreCase"),
)
BY_SUBSCRIPTION = (
    *("vaults", "role_assignments", "role_definitions", "deny_assignments"),
    *("role_eligibility_schedule_instances", "role_assignment_schedule_instances"),
)
FOUND = PrincipalState.FOUND


def hostile(seed: int, *, large: bool = False) -> Estate:
    """The estate of a seed: a dozen vaults at most, or with `large` two hundred in seventy subscriptions."""
    return _Drawing(seed, large=large).estate()


class _Drawing:
    def __init__(self, seed: int, *, large: bool) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret hangs on it
        self.large = large
        self.principals: dict[str, Principal] = {}

    def is_so(self, chance: float) -> bool:
        return self.random.random() < chance

    def estate(self) -> Estate:
        choice = self.random.choice
        self._people()
        memberships = self._memberships()
        member_of = self._member_of(memberships)
        subscriptions, hierarchy = self._tree()
        vaults = self._vaults()
        self._places(vaults)
        definitions = self._roles()
        self.conditioned = choice([0, 0.1, 0.4])
        assignments = tuple(self._assignment(number) for number in range(choice([4, 8, 20])))
        denies = tuple(self._deny(number) for number in range(choice([0, 1, 2, 3, 5])))
        instances = tuple(self._instance(number, assignments) for number in range(choice([0, 0, 1, 3])))
        joining = tuple(self._joining(number) for number in range(choice([0, 0, 0, 1, 3])))
        listings, gaps = self._read(vaults, joins=bool(joining))
        return Estate(
            tenant_id=TENANT,
            collected_at=NOW,
            subscriptions=subscriptions,
            hierarchy=hierarchy,
            vaults=vaults,
            role_assignments=assignments,
            role_definitions=definitions,
            deny_assignments=denies,
            schedule_instances=instances,
            principals=self.principals,
            memberships=tuple(dict.fromkeys(memberships)),
            member_of=member_of,
            objects=tuple(VaultObject(item.scope, ObjectRef("secrets", "db")) for item in vaults if self.is_so(0.2)),
            gaps=gaps,
            listings=listings,
            group_schedule_instances=joining,
        )

    def _person(self, name: str, kind: str | None, **more: object) -> str:
        found = Principal(guid(name), kind, display_name=name, **more)  # type: ignore[arg-type]
        self.principals[found.id] = found
        return found.id

    def _people(self) -> None:
        choice = self.random.choice
        guests = ("Member", "Member", "Guest", None)
        self.users = [self._person(f"u{number}", "User", user_type=choice(guests)) for number in range(5)]
        self.workloads = [self._person(f"s{number}", "ServicePrincipal") for number in range(3)]
        self.groups = [
            self._person(
                f"g{number}",
                "Group" if self.is_so(0.95) else None,
                state=FOUND if self.is_so(0.8) else choice(list(PrincipalState)),
                visibility=choice([None] * 8 + ["HiddenMembership"]),
            )
            for number in range(choice([2, 4, 6]))
        ]
        self.everyone = [*self.users, *self.workloads, *self.groups, *self.groups]
        if self.is_so(0.5):
            self.foreign = self._person("foreign", "ForeignGroup", state=choice([PrincipalState.FOREIGN, FOUND]))
            self.everyone += [self._person("form", "Application"), self._person("device", "Device"), self.foreign]
            self.everyone += [self._person("gone", None, state=PrincipalState.NOT_FOUND), guid("x"), guid("y")]
            self.everyone.append(self._person("left", "User", state=PrincipalState.DELETED_RESTORABLE))
        kinds = {name: item.type for name, item in self.principals.items()}
        self.types = {name: kinds[name] if name in kinds else choice(TYPES) for name in self.everyone}

    def _memberships(self) -> list[Membership]:
        choice, found = self.random.choice, []
        for _ in range(choice([3, 8, 20, 30])):
            group = choice(self.groups) if self.is_so(0.95) else choice(self.everyone)
            member = choice(self.everyone)
            found.append(Membership(group, member, self.types[member] if self.is_so(0.9) else choice(TYPES)))
            if self.is_so(0.1):
                found.append(Membership(group, member, choice(TYPES)))
            if self.is_so(0.05):
                found.append(Membership(group, group, "Group"))
        return found

    def _member_of(self, memberships: list[Membership]) -> dict[str, tuple[str, ...]]:
        """What service principals answered: mostly what the lists of members say, sometimes a group more."""
        found = {}
        for name in self.workloads:
            if self.is_so(0.85):
                over = {name} | ({self.random.choice(self.groups)} if self.is_so(0.3) else set())
                for _ in memberships:
                    over |= {item.group for item in memberships if item.member in over}
                found[name] = tuple(sorted(over - {name}))
        return found

    def _tree(self) -> tuple[tuple[Subscription, ...], tuple[HierarchyNode, ...]]:
        choice = self.random.choice
        self.above = [management_group(f"mg{number}") for number in range(choice([0, 1, 3]))]
        nodes = [HierarchyNode(item, self.above[place - 1] if place else None) for place, item in enumerate(self.above)]
        tenants = (TENANT,) * 3 + ((OTHER_TENANT, None) if self.is_so(0.4) else ())
        count = 70 if self.large else choice([1, 1, 2, 3])
        self.subscriptions = [SUBSCRIPTION_ID, *(guid(f"sub{number}") for number in range(1, count))]
        if self.above:
            below = [item for item in self.subscriptions if self.is_so(0.9)]
            nodes += [HierarchyNode(f"/subscriptions/{item}", choice(self.above)) for item in below]
        found = tuple(Subscription(item, item[:4], choice(tenants), "Enabled") for item in self.subscriptions)
        return found, tuple(nodes)

    def _vaults(self) -> tuple[Vault, ...]:
        choice = self.random.choice
        self.resource_groups = [
            f"/subscriptions/{item}/resourceGroups/rg-{number}"
            for item in self.subscriptions
            for number in range(2 if self.large else choice([1, 2]))
        ]
        count = 200 if self.large else choice([1, 3, 6, 12])
        found = [self._vault(f"{choice(NAMES)}{number if number > 3 else ''}") for number in range(count)]
        kept = {item.scope: item for item in reversed(found)}
        return tuple(sorted(kept.values(), key=lambda item: item.scope) if self.is_so(0.5) else kept.values())

    def _vault(self, name: str) -> Vault:
        choice = self.random.choice
        model = choice([None] + [PermissionModel.AZURE_RBAC] * 14 + [PermissionModel.ACCESS_POLICIES] * 7)
        has_policies = model is PermissionModel.ACCESS_POLICIES or self.is_so(0.2)
        policies = tuple(self._policy() for _ in range(choice([0, 1, 3, 6]) if has_policies else 0))
        return vault(
            name,
            id=f"{choice(self.resource_groups)}/providers/Microsoft.KeyVault/vaults/{name}",
            access_policies=policies if self.is_so(0.97) else None,
            tenant_id=choice([TENANT] * 15 + [OTHER_TENANT, None]),
            permission_model=model,
            permission_model_source=choice(list(PermissionModelSource)) if model else None,
            **(OPEN_NETWORK if self.is_so(0.3) else {}),
            **({"enable_purge_protection": None} if self.is_so(0.3) else {}),
            **({"enabled_for_template_deployment": True} if self.is_so(0.1) else {}),
        )

    def _policy(self) -> AccessPolicy:
        choice = self.random.choice
        words = ("get", "get list", "all", "purge", "Get SET", "nonsense", "backup restore")
        kinds = {kind: tuple(choice(words).split()) for kind in ("secrets", "keys", "certificates") if self.is_so(0.6)}
        tenant = choice([TENANT] * 12 + [OTHER_TENANT, None])
        return AccessPolicy(tenant, choice(self.everyone), choice([None] * 15 + ["app"]), **kinds)

    def _places(self, vaults: tuple[Vault, ...]) -> None:
        choose, groups = self.random.sample, [fold(item) for item in self.resource_groups]
        own = [item.scope for item in vaults]
        self.places = [*self.above, *(f"/subscriptions/{item}" for item in self.subscriptions[:4])]
        self.places += [*choose(groups, min(6, len(groups))), *choose(own, min(8, len(own)))]
        if self.is_so(0.7):
            self.places.append("/")
        if self.is_so(0.3):
            self.places += [f"{self.random.choice(own)}/secrets/db", f"{self.random.choice(own)}/keys/k1"]

    def _roles(self) -> dict[str, RoleDefinition]:
        plain = Permission(
            actions=("Microsoft.KeyVault/vaults/*",),
            data_actions=(ON_SECRETS,),
            not_data_actions=("Microsoft.KeyVault/vaults/secrets/delete",),
        )
        blocks = (
            Permission(data_actions=(GET,), condition=self._condition()),
            Permission(data_actions=("Microsoft.KeyVault/vaults/secrets/*",), condition=self._condition()),
            Permission(actions=(WRITE, "Microsoft.Authorization/roleAssignments/write")),
        )
        made = {name: guid(name) for name in ("plain", "blocks")}
        self.roles = [*map(builtin_guid, BUILT_IN), *made.values(), *([NEVER_READ] if self.is_so(0.5) else [])]
        return {
            made[name]: RoleDefinition(f"/providers/x/{made[name]}", made[name], name, "CustomRole", permissions)
            for name, permissions in (("plain", (plain,)), ("blocks", blocks))
        }

    def _condition(self) -> str:
        choice = self.random.choice
        operator, literal = choice(OPERATORS), choice(LITERALS)
        kind = choice(["vaults", "vaults", "vaults/secrets"])
        value = f"{{'{literal}', '{choice(LITERALS)}'}}" if ":" in operator else f"'{literal}'"
        base = f"@Resource[Microsoft.KeyVault/{kind}:name] {operator} {value}"
        return choice(
            (
                base,
                f"((!(ActionMatches{{'{GET}'}})) OR ({base}))",
                f"NOT ({base})",
                f"((!(ActionMatches{{'{ON_SECRETS}'}})) OR ({base}) AND @Principal[x:y] StringEquals 'z')",
                "nonsense (",
                f"({base}) AND ({base.replace('kv', 'KV')})",
            )
        )

    def _maybe_condition(self, chance: float) -> str | None:
        return self._condition() if self.is_so(chance) else None

    def _listed_from(self, scope: str) -> frozenset[str]:
        known = [f"/subscriptions/{item}" for item in self.subscriptions]
        if self.is_so(0.15):
            return frozenset(self.random.choice([(), (self.random.choice(known),)]))
        if scope.startswith("/subscriptions"):
            return frozenset({"/".join(scope.split("/")[:3])})
        return frozenset(self.random.sample(known, self.random.randint(1, min(4, len(known)))))

    def _assignment(self, number: int) -> RoleAssignment:
        choice = self.random.choice
        who, scope = choice(self.everyone), choice(self.places)
        return RoleAssignment(
            f"/assignments/{number}",
            scope,
            choice(self.roles),
            who,
            self.types[who] if self.is_so(0.9) else choice(TYPES),
            condition=self._maybe_condition(self.conditioned),
            delegated_managed_identity_resource_id=choice([None] * 30 + ["/x"]),
            listed_from=self._listed_from(scope),
        )

    def _deny(self, number: int) -> DenyAssignment:
        choice, choose = self.random.choice, self.random.sample
        scope, anybody = choice(self.places), list(dict.fromkeys(self.everyone))
        met = [EVERYONE] if self.is_so(0.5) else choose([EVERYONE, *anybody], self.random.randint(0, 3))
        return DenyAssignment(
            f"/denies/{number}",
            "deny",
            scope,
            tuple(self._denied() for _ in range(choice([1, 1, 2]))),
            tuple(DenyPrincipal(item.upper() if self.is_so(0.1) else item, self.types.get(item)) for item in met),
            tuple(DenyPrincipal(item, self.types[item]) for item in choose(anybody, choice([0, 1, 2, 3]))),
            do_not_apply_to_child_scopes=self.is_so(0.2),
            effect=choice(["enforced", "enforced", "audit", None, "Audit"]),
            condition=self._maybe_condition(0.2),
            listed_from=self._listed_from(scope),
        )

    def _denied(self) -> Permission:
        choice = self.random.choice
        return Permission(
            actions=choice([(), ("*",), ("Microsoft.Authorization/*",), (WRITE,), ("Microsoft.KeyVault/vaults/*",)]),
            not_actions=choice([(), (), ("Microsoft.Authorization/*/write",), (WRITE,)]),
            data_actions=choice([(GET,), ("Microsoft.KeyVault/*",), ("*",), (ON_SECRETS,), ()]),
            not_data_actions=choice([(), (), (GET,)]),
            condition=self._maybe_condition(0.1),
        )

    def _instance(self, number: int, assignments: tuple[RoleAssignment, ...]) -> ScheduleInstance:
        choice = self.random.choice
        who, scope, eligible = choice(self.everyone), choice(self.places), self.is_so(0.7)
        return ScheduleInstance(
            f"/instances/{number}",
            scope,
            choice(self.roles),
            who,
            eligible,
            self.types[who],
            assignment_type=None if eligible else choice(["Assigned", "Activated"]),
            member_type=choice(["Direct", "Direct", "Group", "Inherited"]),
            origin_role_assignment_id=None if eligible or self.is_so(0.3) else choice(assignments).id,
            condition=self._maybe_condition(self.conditioned),
            start=choice([None, LATER]),
            end=choice([None, MUCH_LATER, PAST]),
            listed_from=self._listed_from(scope),
        )

    def _joining(self, number: int) -> GroupScheduleInstance:
        choice = self.random.choice
        who, how = choice(self.users + self.groups), choice(["member", "member", "owner"])
        end = choice([None, MUCH_LATER, PAST])
        return GroupScheduleInstance(
            f"/joining/{number}", choice(self.groups), who, how, eligible=self.is_so(0.7), end=end
        )

    def _read(self, vaults: tuple[Vault, ...], *, joins: bool) -> tuple[tuple[Listing, ...], tuple[Gap, ...]]:
        """What was read to its end, and what was not: told as a gap, or never asked for."""
        choice = self.random.choice
        groups = [f"groups/{item}" for item in self.groups if self.is_so(0.95)]
        read = [
            Listing(kind, f"/subscriptions/{item}", 0) for item, kind in product(self.subscriptions, BY_SUBSCRIPTION)
        ]
        read += [Listing("service_principals", "servicePrincipals", 0)]
        read += [Listing("group_members", item, 0) for item in groups]
        if joins or self.is_so(0.2):
            both = ("group_eligibility_schedule_instances", "group_assignment_schedule_instances")
            read += [Listing(kind, item, 0) for item, kind in product(groups, both)]
        gaps = []
        for item in self.random.sample(read, 0 if self.is_so(0.85) else choice([1, 2, 4])):
            read.remove(item)
            if self.is_so(0.7):
                gaps.append(Gap(item.kind, item.scope, "refused", status=403))
        if self.is_so(0.15):
            kinds = ("vaults", "principals", "service_principal_groups", "deny_assignments", "role_assignments")
            where = choice(
                [choice(vaults).id, choice(self.resource_groups), f"servicePrincipals/{self.workloads[0]}", "/"]
            )
            gaps.append(Gap(choice(kinds), where, "refused", status=403))
        return tuple(read), tuple({item.id: item for item in gaps}.values())
