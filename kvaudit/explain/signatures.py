"""Which words of the services mean which kind of error. Sources: facts azure.md 6, and the services' own fixed phrases.

The order matters: the first that matches wins, what is told before a permission is looked at first (facts azure.md 6.1:
firewall, then token, then permission, then the operation).
"""

from dataclasses import dataclass

from kvaudit.explain.explanation import Confidence, Kind
from kvaudit.explain.facts import Facts


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to tell a kind.

    Attributes:
        codes: folded error codes, any of which says so.
        phrase: pattern of the service's words, or "".
        confidence: `CERTAIN` where the service's own code or fixed phrase has one meaning.
    """

    kind: Kind
    confidence: Confidence
    codes: frozenset[str] = frozenset()
    phrase: str = ""

    def matches(self, facts: Facts) -> bool:
        """Whether the text shows it."""
        return bool(self.codes & facts.codes) or bool(self.phrase and facts.has(self.phrase))


def _says(kind: Kind, *codes: str, phrase: str = "", likely: bool = False) -> Signature:
    confidence = Confidence.LIKELY if likely else Confidence.CERTAIN
    return Signature(kind, confidence, frozenset(code.casefold() for code in codes), phrase)


_POLICY_PHRASE = r"does not have (?:secrets?|keys?|certificates?) \w+ permission|the user, group or application '[^']*' does not have|(?:secrets|keys|certificates) \w+ permission on key vault"

SIGNATURES: tuple[Signature, ...] = (
    _says(Kind.THROTTLED, "Throttled", "TooManyRequests", "SubscriptionRequestsThrottled", "VaultRequestTypeLimitReached", "VaultOperationLimitReached", phrase=r"too many requests were received|\b429\b.{0,40}too many requests"),
    _says(Kind.PRIVATE_LINK, "ForbiddenByConnection", phrase=r"public network access is disabled and request is not from|not an approved private link"),
    _says(Kind.FIREWALL, "ForbiddenByFirewall", phrase=r"client address is not authorized and caller is not a trusted service"),
    _says(Kind.TENANT, "AKV10032", "InvalidAuthenticationTokenTenant", "AADSTS90002", "AADSTS500011", phrase=r"AKV10032|invalid issuer\. expected one of|is from the wrong issuer"),
    _says(Kind.CLAIMS_CHALLENGE, "AADSTS50076", "AADSTS50079", "AADSTS50158", "AADSTS53000", "AADSTS53001", "AADSTS53003", "TokenCreatedWithOutdatedPolicies", "LocationConditionEvaluationSatisfied", phrase=r"insufficient_claims|www-authenticate[^\n]*claims="),
    _says(Kind.STALE_TOKEN, "ExpiredAuthenticationToken", "AADSTS700082", "AADSTS70043", "AADSTS700024", phrase=r"token (?:is|has) expired|IDX10223|lifetime validation failed|AKV10023"),
    _says(Kind.TOKEN_AUDIENCE, "AKV10022", "InvalidAuthenticationTokenAudience", phrase=r"AKV10022|invalid audience|audience validation failed|IDX10214"),
    _says(Kind.WRONG_IDENTITY, "CredentialUnavailableError", "CredentialUnavailableException", "AADSTS700016", "AADSTS7000215", "AADSTS7000222", phrase=r"multiple user.assigned identities exist|identity not found|managedidentitycredential authentication unavailable|failed to retrieve a token from the included credentials"),
    _says(Kind.TEMPLATE_ACCESS, "KeyVaultParameterReferenceSecretRetrieveFailed", "KeyVaultParameterReferenceAuthorizationFailed", "KeyVaultParameterReferenceNotFound", "KeyVaultParameterReferenceInvalidId", phrase=r"KeyVaultParameterReference\w+"),
    _says(Kind.MODEL_CHANGE_REFUSED, phrase=r"not allowed to change permission model"),
    _says(Kind.AZURE_POLICY, "RequestDisallowedByPolicy", "RequestDisallowedByAzure", phrase=r"disallowed by (?:azure )?policy"),
    _says(Kind.SCOPE_LOCKED, "ScopeLocked", phrase=r"because following scope\(?s?\)? (?:is|are) locked"),
    _says(Kind.LINKED_AUTHORIZATION, "LinkedAuthorizationFailed", "LinkedAccessCheckFailed"),
    _says(Kind.ASSIGNMENT_LIMIT, "RoleAssignmentLimitExceeded", phrase=r"no more role assignments can be created"),
    _says(Kind.PRINCIPAL_NOT_FOUND, "PrincipalNotFound", phrase=r"principal [0-9a-f-]{32,36} does not exist in the directory"),
    _says(Kind.ROLE_ASSIGNMENT_EXISTS, "RoleAssignmentExists", "RoleAssignmentUpdateNotPermitted", phrase=r"the role ?assignment already exists"),
    _says(Kind.OBJECT_DISABLED, "SecretDisabled", "KeyDisabled", "CertificateDisabled", phrase=r"not allowed on a disabled (?:secret|key|certificate)|is not allowed on (?:an expired|a disabled)"),
    _says(Kind.KEY_OPERATION, "KeyOperationForbidden", phrase=r"operation \w+ is not permitted on this key"),
    _says(Kind.MISSING_POLICY, phrase=_POLICY_PHRASE),
    _says(Kind.AZURE_POLICY, "ForbiddenByPolicy", likely=True),
    _says(Kind.MISSING_ROLE, "ForbiddenByRbac", phrase=r"caller is not authorized to perform action on resource|DeniedWithNoValidRBAC", likely=True),
    _says(Kind.BEING_DELETED, "ObjectIsBeingDeleted", "ObjectIsBeingRecovered", phrase=r"is currently being (?:deleted|recovered)"),
    _says(Kind.SOFT_DELETED, "ObjectIsDeletedButRecoverable", phrase=r"in a deleted but recoverable state|same name already exists in deleted state|already exists in deleted state"),
    _says(Kind.NAME_TAKEN, "VaultAlreadyExists", phrase=r"the vault name '[^']*' is already in use"),
    _says(Kind.CONTROL_PLANE_AUTHORIZATION, "AuthorizationFailed", phrase=r"does not have authorization to perform action"),
    _says(Kind.BAD_REQUEST, "VaultNameNotValid", "BadParameter", "InvalidRequestFormat", phrase=r"enablePurgeProtection[\"'\\]* cannot be set to false|the request uri contains an invalid name"),
    _says(Kind.VAULT_NOT_FOUND, "VaultNotFound", "DeletedVaultNotFound", phrase=r"resource 'microsoft\.keyvault/vaults/[^']*' under resource group '[^']*' was not found"),
    _says(Kind.OBJECT_NOT_FOUND, "SecretNotFound", "KeyNotFound", "CertificateNotFound", "PendingCertificateNotFound", "CertificateIssuerNotFound", "ContactsNotFound", phrase=r"(?:secret|key|certificate) with \(name/id\) \S+ was not found in this key vault"),
    _says(Kind.MISSING_ROLE, phrase=r"\bAccessDenied\b.{0,200}data ?plane", likely=True),
)  # fmt: skip

DESCRIPTIONS: tuple[Signature, ...] = (
    _says(Kind.POLICIES_REPLACED, phrase=r"(?:deploy|template|bicep|terraform apply|pipeline)\w*\b.{0,80}\b(?:remov|clear|wip|empt|delet|overwr|replac|los|gone|disappear|drop)\w*\b.{0,80}polic(?:y|ies)|polic(?:y|ies).{0,60}\b(?:removed|cleared|wiped|emptied|deleted|overwritten|replaced|lost|gone|disappear\w*)\b.{0,60}\b(?:deploy|template)|deploy\w* without (?:access ?)?policies", likely=True),
    _says(Kind.PROPAGATION, phrase=r"(?:assign|grant|role)\w*.{0,80}(?:next|immediately|right after|straight after|moments? after)\b.{0,60}(?:denied|403|forbidden|fail)|(?:denied|403|forbidden|fails?)\b.{0,40}\b\d+ (?:seconds|minutes|hours) after\b.{0,60}(?:assign|grant|role)|second (?:run|try|attempt) (?:succeeds|works|passes)", likely=True),
    _says(Kind.WRONG_MODEL, phrase=r"databricks could not access keyvault|must have .{0,5}get.{0,5}, .{0,5}wrapkey.{0,5} and .{0,5}unwrapkey.{0,5} permissions on the managed key", likely=True),
    _says(Kind.CONTROL_PLANE_AUTHORIZATION, phrase=r"\bdata source\b.{0,60}(?:fail|403|denied|forbidden).{0,120}(?:vault|secret)", likely=True),
    _says(Kind.TEMPLATE_ACCESS, phrase=r"\bgetSecret\(?\)?.{0,80}(?:deployment|module|parameter)\w*.{0,80}(?:fail|not found|missing|denied)|(?:deployment|bicepparam|parameter file).{0,60}\bgetSecret\b.{0,80}(?:fail|not found|missing|denied)", likely=True),
    _says(Kind.BAD_REQUEST, phrase=r"accesspolicies\b.{0,60}(?:rejected|required|is missing|cannot be null)", likely=True),
    _says(Kind.MISSING_ROLE, phrase=r"key vault (?:secrets|crypto|certificates?|reader|administrator|data|contributor|purge)[ \w]{0,30}.{0,80}(?:denied|403|forbidden|fail)|(?:denied|403|forbidden|fail)\w*.{0,80}(?:has|holds|with|assigned)\b.{0,30}key vault (?:secrets|crypto|certificates?|reader|administrator)", likely=True),
    _says(Kind.MISSING_POLICY, phrase=r"(?:denied|403|forbidden|fail)\w*.{0,80}access polic|(?:access )?policy\b.{0,80}(?:denied|403|forbidden)|(?:fail|403|forbidden|denied)\w*.{0,60}\bonly\b.{0,15}\bget\b", likely=True),
)  # fmt: skip
"""What people write where no service said anything: never more than likely. Only where no words of a service decide."""

_NO_SUCH_HOST = (
    r"ENOTFOUND|getaddrinfo failed|name or service not known|nodename nor servname|no such host|failed to resolve|"
    r"name resolution|could not resolve host|UnknownHostException|NXDOMAIN"
)


LONGEST_DESCRIPTION = 2_000
"""Characters of a text that may be somebody's description: a log of a program is not one."""


def classify(facts: Facts) -> tuple[Kind, Confidence]:
    """The kind of an error, and how sure that is; `UNKNOWN` where the words have no meaning that is established."""
    from_log = _from_log(facts)
    if from_log is not None:
        return from_log
    for signature in SIGNATURES:
        if signature.matches(facts):
            if signature.kind is Kind.MISSING_ROLE and _is_denied(facts):
                return Kind.DENY_ASSIGNMENT, Confidence.CERTAIN
            if signature.kind is Kind.MISSING_ROLE and _was_just_granted(facts):
                return Kind.PROPAGATION, Confidence.LIKELY
            if signature.kind is Kind.CONTROL_PLANE_AUTHORIZATION and facts.has(r"deny assignment"):
                return Kind.DENY_ASSIGNMENT, Confidence.CERTAIN
            return signature.kind, signature.confidence
    described = next(
        (item for item in DESCRIPTIONS if len(facts.text) < LONGEST_DESCRIPTION and item.matches(facts)), None
    )
    if described is not None:
        return described.kind, described.confidence
    if facts.has(_NO_SUCH_HOST) and facts.vault is not None:
        return Kind.VAULT_NOT_FOUND, Confidence.LIKELY
    if facts.status == 429:
        return Kind.THROTTLED, Confidence.LIKELY
    return Kind.UNKNOWN, Confidence.UNKNOWN


def _was_just_granted(facts: Facts) -> bool:
    """Whether somebody wrote beside the error that the role was assigned before."""
    timing = next(item for item in DESCRIPTIONS if item.kind is Kind.PROPAGATION)
    return len(facts.text) < LONGEST_DESCRIPTION and timing.matches(facts)


def _is_denied(facts: Facts) -> bool:
    return facts.deny_assignment is not None or "denyassignment" in facts.reason


def _from_log(facts: Facts) -> tuple[Kind, Confidence] | None:
    """A line of the audit log: resource-specific ones say which check refused (facts azure.md 11)."""
    record = facts.log
    if record is None or facts.status not in (401, 403):
        return None
    if _flag(record, "isaddressauthorized") is False:
        return Kind.FIREWALL, Confidence.CERTAIN
    uses_rbac = _flag(record, "enablerbacauthorization")
    if _flag(record, "isrbacauthorized") is False and uses_rbac is not False:
        return Kind.MISSING_ROLE, Confidence.LIKELY
    if _flag(record, "isaccesspolicymatch") is False and uses_rbac is not True:
        return Kind.MISSING_POLICY, Confidence.CERTAIN
    return None


def _flag(record: dict[str, object], name: str) -> bool | None:
    value = record.get(name)
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).casefold())
