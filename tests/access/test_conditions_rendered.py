"""What people read about conditions, whole: every sentence that says what a condition asks, why it is open, and what is wrong.

The golden is reviewed when it changes; the tables of `test_conditions_evaluation` and `test_conditions_parsing` say what is right.
"""

from syrupy.assertion import SnapshotAssertion

from kvaudit.access.conditions import Outcome, Question, admits_assignment, describe, evaluate, parse
from kvaudit.access.conditions.tree import Condition, write

SECRETS = "Microsoft.KeyVault/vaults/secrets"
NAME = f"@Resource[{SECRETS}:name]"
REQUESTED = f"@Request[{SECRETS}:name]"
VAULT = "@Resource[Microsoft.KeyVault/vaults:name]"
ASSIGNED = "@Request[Microsoft.Authorization/roleAssignments:"
GUID = "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"

QUESTIONS = {
    "get db": Question(f"{SECRETS}/getSecret/action", "kv-contoso", "db"),
    "get, no name": Question(f"{SECRETS}/getSecret/action", "kv-contoso"),
    "get DB anywhere": Question(f"{SECRETS}/getSecret/action", None, "DB"),
    "list": Question(f"{SECRETS}/readMetadata/action", "kv-contoso", collection=True),
    "list, by another action": Question(f"{SECRETS}/backup/action", "kv-contoso", collection=True),
    "set db": Question(f"{SECRETS}/setSecret/action", "kv-contoso", "db"),
    "sign": Question("Microsoft.KeyVault/vaults/keys/sign/action", "kv-contoso", "db"),
}

TEXTS = (
    f"{NAME} StringEquals 'db'",
    f"{NAME} StringNotEquals 'db'",
    f"NOT ({NAME} StringStartsWithIgnoreCase 'D')",
    f"{REQUESTED} StringLike 'd?'",
    f"{REQUESTED} ForAnyOfAnyValues:StringNotLike {{'a*', 'b*'}}",
    f"'db' StringEquals {NAME}",
    f"{NAME} ForAllOfAnyValues:StringEquals {{'x', 'db'}}",
    f"{NAME} StringEquals {{}}",
    f"{NAME} StringLike 'a\\b'",
    f"{NAME} StringEquals db",
    f"{NAME} GuidEquals {GUID}",
    f"{NAME} Frobnicates 'db'",
    f"Exists {NAME} AND !(Exists {REQUESTED})",
    f"{VAULT} StringEndsWith '-contoso' OR {NAME} StringContains 'd' AND {NAME} StringNotContains 'x'",
    f"!(ActionMatches{{'{SECRETS}/getSecret/action'}} AND !(ActionMatches{{'{SECRETS}/*/getSecret/action'}}))",
    f"(!(ActionMatches{{'{SECRETS}/getSecret/action'}}) OR ({NAME} StringEquals 'db' OR {VAULT} StringEquals 'kv'))",
    f"!(ActionMatches{{'{SECRETS}/getSecret/action'}}) OR ({NAME} StringEquals 'db' AND 1 x 1) OR {VAULT} StringEquals 'kv'",
    f"!(ActionMatches{{'{SECRETS}/getSecret/action'}}) OR ({NAME} StringEquals 'db' AND {VAULT} StringEquals 'kv')",
    "ActionMatches{'a', 'b'}",
    "ActionMatches{Microsoft.KeyVault}",
    "SubOperationMatches{'Blob.List'}",
    "Frobnicates{'x', y}",
    "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Project] StringEquals 'x'",
    "@Environment[UtcNow] DateTimeLessThan '2026-06-01T00:00:00Z'",
    "@Resource[Microsoft.KeyVault/vaults/secrets:tags] StringEquals 'x'",
    "{" + ", ".join(["1"] * 101) + "} ForAnyOfAnyValues:NumericEquals {" + ", ".join(["2"] * 100) + "}",
    f"{ASSIGNED}RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{GUID}, 8e3af657a8ff443ca75c2fe8c4bcb635}}",
    f"{ASSIGNED}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{GUID}, '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'}}",
    f"{ASSIGNED}PrincipalId] GuidNotEquals {GUID}",
    f"{ASSIGNED}PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User', 'Group', 'ServicePrincipal'}}",
    f"{ASSIGNED}PrincipalType] ForAnyOfAllValues:StringNotEqualsIgnoreCase {{'Group', 'User'}}",
    f"{ASSIGNED}Description] StringEquals 'x'",
    f"{ASSIGNED.replace('Request', 'Resource')}PrincipalType] StringEquals 'User'",
    f"{NAME} StringEquals '{'long-' * 40}'",
    f"{NAME} StringEquals 'line\n\u202ebreak'",
    f"{NAME} ForAnyOfAnyValues:StringEquals {{" + ", ".join(f"'s{number}'" for number in range(14)) + "}",
    "",
    "   \n 'unclosed",
    "@Resource StringEquals 'x'",
    "@Resource[ ] StringEquals 'x'",
    "@Resource[a] StringEquals 'it''s'",
    "@Resource[a] StringEquals 'b'\n  AND\n  \u00e9",
    "@Resource[a]",
    "@Resource[a] AND 'a'",
    "@Resource[a] x AND",
    "{'a' 'a string that is longer than twenty letters'}",
    "{@Resource[an-attribute-that-is-longer-than-twenty]} x 1",
    "Exists AND",
    "(1 x 1",
    "1 x 1 2",
    "(" * 65 + "1 x 1" + ")" * 65,
    "1 x 1".ljust(8193),
)


def test_golden(snapshot: SnapshotAssertion) -> None:
    assert "\n\n".join(_rendered(text) for text in TEXTS) + "\n" == snapshot


def _rendered(text: str) -> str:
    read = parse(text)
    lines = [_ascii(text) if len(text) < 300 else f"{len(text)} characters", f"  words: {describe(read)}"]
    if isinstance(read, Condition):
        lines.append(f"  canonical: {_ascii(write(read.root)[:200])}")
        outcomes: dict[str, list[str]] = {}
        for name, question in QUESTIONS.items():
            for denies in (False, True):
                said = _said(evaluate(read, question, denies=denies))
                outcomes.setdefault(said, []).append(f"{name} (deny)" if denies else name)
        for kind in ("User", "Device", None):
            said = _said(admits_assignment(read, GUID, GUID, kind))
            outcomes.setdefault(said, []).append(f"assignment to {kind}")
        lines.extend(f"  {said}\n    <- {', '.join(names)}" for said, names in outcomes.items())
    else:
        lines.append(f"  {read} (offset {read.offset})")
    return "\n".join(lines)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode().replace("\n", "\\n")


def _said(outcome: Outcome) -> str:
    return " ".join((outcome.verdict, f"({outcome.reason})" if outcome.reasons else "")).strip()
