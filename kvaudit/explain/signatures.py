"""Which words of the services mean which kind of error. Sources: facts azure.md 6, and the services' own fixed phrases.

The order matters: the first that matches is the kind, what is told before a permission is looked at first (facts azure.md
6.1: firewall, then token, then permission, then the operation). Any other kind that the text shows as well stands beside
it, and then nothing is certain. Patterns are bounded: a text of any content takes time in proportion to its length.
"""

from dataclasses import dataclass

from kvaudit.explain.explanation import Confidence, Kind
from kvaudit.explain.facts import Facts
from kvaudit.explain.logs import log_says


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to tell a kind.

    Attributes:
        codes: folded error codes, any of which says so.
        phrase: pattern of the service's words, or "".
        confidence: `CERTAIN` where the service's own code or fixed phrase has one meaning.
        alone: whether it counts only where nothing else does: a code that others share.
    """

    kind: Kind
    confidence: Confidence
    codes: frozenset[str] = frozenset()
    phrase: str = ""
    alone: bool = False

    def matches(self, facts: Facts) -> bool:
        """Whether the text shows it."""
        return bool(self.codes & facts.codes) or bool(self.phrase and facts.has(self.phrase))


@dataclass(frozen=True, slots=True)
class Classified:
    """What a text shows.

    Attributes:
        beside: other kinds that it shows as well, in the order of the checks.
    """

    kind: Kind
    confidence: Confidence
    beside: tuple[Kind, ...] = ()


def _says(kind: Kind, *codes: str, phrase: str = "", likely: bool = False, alone: bool = False) -> Signature:
    confidence = Confidence.LIKELY if likely else Confidence.CERTAIN
    return Signature(kind, confidence, frozenset(code.casefold() for code in codes), phrase, alone)


_POLICY_PHRASE = r"does not have (?:secrets?|keys?|certificates?) \w{1,40} permission|the user, group or application '[^']{0,1000}' does not have|(?:secrets|keys|certificates) \w{1,40} permission on key vault|the policy requires the caller '[^']{0,1000}' to use on-behalf-of"

SIGNATURES: tuple[Signature, ...] = (
    _says(Kind.TEMPLATE_ACCESS, "KeyVaultParameterReferenceSecretRetrieveFailed", "KeyVaultParameterReferenceAuthorizationFailed", "KeyVaultParameterReferenceNotFound", "KeyVaultParameterReferenceInvalidId", phrase=r"KeyVaultParameterReference\w{1,40}"),
    _says(Kind.PRIVATE_LINK, "ForbiddenByConnection", phrase=r"public network access is disabled and request is not from|not an approved private link"),
    _says(Kind.FIREWALL, "ForbiddenByFirewall", phrase=r"client address is not authorized and caller is not a trusted service"),
    _says(Kind.TENANT, "AKV10032", "InvalidAuthenticationTokenTenant", "AADSTS90002", "AADSTS500011", phrase=r"invalid issuer\. expected one of|is from the wrong issuer"),
    _says(Kind.CLAIMS_CHALLENGE, "AADSTS50076", "AADSTS50079", "AADSTS50158", "AADSTS53000", "AADSTS53001", "AADSTS53003", "TokenCreatedWithOutdatedPolicies", "LocationConditionEvaluationSatisfied", phrase=r"insufficient_claims|\bBearer [^\n]{0,600}\bclaims=\"?[0-9A-Za-z+/_-]{4}"),
    _says(Kind.STALE_TOKEN, "ExpiredAuthenticationToken", "AADSTS700082", "AADSTS70043", "AADSTS700024", phrase=r"IDX10223|lifetime validation failed|AKV10023"),
    _says(Kind.TOKEN_AUDIENCE, "AKV10022", "InvalidAuthenticationTokenAudience", phrase=r"audience validation failed|IDX10214"),
    _says(Kind.WRONG_IDENTITY, "CredentialUnavailableError", "CredentialUnavailableException", "AADSTS700016", "AADSTS7000215", "AADSTS7000222", phrase=r"multiple user.assigned identities exist|managedidentitycredential authentication unavailable|failed to retrieve a token from the included credentials"),
    _says(Kind.MODEL_CHANGE_REFUSED, phrase=r"not allowed to change permission model"),
    _says(Kind.AZURE_POLICY, "RequestDisallowedByPolicy", "RequestDisallowedByAzure", phrase=r"disallowed by (?:azure )?policy"),
    _says(Kind.SCOPE_LOCKED, "ScopeLocked", phrase=r"because following scope\(?s?\)? (?:is|are) locked"),
    _says(Kind.LINKED_AUTHORIZATION, "LinkedAuthorizationFailed", "LinkedAccessCheckFailed", phrase=r"is not authorized to access linked subscription|does not have permission to perform action\(?s?\)? '[^']{1,300}' on the linked scope"),
    _says(Kind.ASSIGNMENT_LIMIT, "RoleAssignmentLimitExceeded", phrase=r"no more role assignments can be created"),
    _says(Kind.PRINCIPAL_NOT_FOUND, "PrincipalNotFound", phrase=r"principal [0-9a-f-]{32,36} does not exist in the directory"),
    _says(Kind.ROLE_ASSIGNMENT_EXISTS, "RoleAssignmentExists", "RoleAssignmentUpdateNotPermitted", phrase=r"the role ?assignment already exists"),
    _says(Kind.OBJECT_DISABLED, "SecretDisabled", "KeyDisabled", "CertificateDisabled", phrase=r"not allowed on a disabled (?:secret|key|certificate)|is not allowed on (?:an expired|a disabled)"),
    _says(Kind.KEY_OPERATION, "KeyOperationForbidden", phrase=r"operation \w{1,40} is not permitted on this key"),
    _says(Kind.MISSING_POLICY, phrase=_POLICY_PHRASE),
    _says(Kind.MISSING_ROLE, "ForbiddenByRbac", phrase=r"caller is not authorized to perform action on resource|DeniedWithNoValidRBAC", likely=True),
    _says(Kind.BEING_DELETED, "ObjectIsBeingDeleted", "ObjectIsBeingRecovered", phrase=r"is currently being (?:deleted|recovered)"),
    _says(Kind.SOFT_DELETED, "ObjectIsDeletedButRecoverable", phrase=r"in a deleted but recoverable state|same name already exists in deleted state|already exists in deleted state"),
    _says(Kind.NAME_TAKEN, "VaultAlreadyExists", phrase=r"the vault name '[^']{0,200}' is already in use"),
    _says(Kind.DENY_ASSIGNMENT, "DenyAssignmentAuthorizationFailed", phrase=r"access is denied because of the deny assignment"),
    _says(Kind.CONTROL_PLANE_AUTHORIZATION, "AuthorizationFailed", phrase=r"does not have authorization to perform action"),
    _says(Kind.BAD_REQUEST, "VaultNameNotValid", "BadParameter", "InvalidRequestFormat", phrase=r"enablePurgeProtection[\"'\\]{0,4} cannot be set to false|the request uri contains an invalid name"),
    _says(Kind.VAULT_NOT_FOUND, "VaultNotFound", "DeletedVaultNotFound", phrase=r"resource 'microsoft\.keyvault/vaults/[^']{1,200}' under resource group '[^']{0,200}' was not found"),
    _says(Kind.OBJECT_NOT_FOUND, "SecretNotFound", "KeyNotFound", "CertificateNotFound", "PendingCertificateNotFound", "CertificateIssuerNotFound", "ContactsNotFound", phrase=r"(?:secret|key|certificate|storage) with \(name/id\) \S{1,200} was not found in this key vault"),
    _says(Kind.THROTTLED, "Throttled", "TooManyRequests", "SubscriptionRequestsThrottled", "VaultRequestTypeLimitReached", "VaultOperationLimitReached", phrase=r"was not processed because too many requests were received"),
    _says(Kind.MISSING_POLICY, "ForbiddenByPolicy", likely=True, alone=True),  # of access policies, as recorded
    _says(Kind.AZURE_POLICY, "ForbiddenByPolicy", likely=True, alone=True),  # as documented, never seen
    _says(Kind.MISSING_ROLE, phrase=r"\bAccessDenied\b.{0,200}data ?plane", likely=True, alone=True),
)  # fmt: skip

INCIDENTAL: tuple[Signature, ...] = (
    _says(Kind.STALE_TOKEN, phrase=r"token (?:is|has) expired|token expired", likely=True),
    _says(Kind.WRONG_IDENTITY, phrase=r"\bidentity not found\b|please run 'az login'", likely=True),
    _says(Kind.THROTTLED, phrase=r"too many requests were received|\b429\b.{0,40}too many requests|too many requests.{0,20}\b429\b", likely=True),
)  # fmt: skip
"""Words that logs and clients also write on the way to another error: never more than likely."""

DESCRIPTIONS: tuple[Signature, ...] = (
    _says(Kind.POLICIES_REPLACED, phrase=r"(?:deploy|template|bicep|terraform apply|pipeline)\w{0,20}\b.{0,80}\b(?:remov|clear|wip|empt|delet|overwr|replac|los|gone|disappear|drop)\w{0,20}\b.{0,80}polic(?:y|ies)|polic(?:y|ies).{0,60}\b(?:removed|cleared|wiped|emptied|deleted|overwritten|replaced|lost|gone|disappear\w{0,20})\b.{0,60}\b(?:deploy|template)|deploy\w{0,20} without (?:access ?)?policies", likely=True),
    _says(Kind.PROPAGATION, phrase=r"(?:assign|grant|role)\w{0,20}.{0,80}(?:next|immediately|right after|straight after|moments? after)\b.{0,60}(?:denied|403|forbidden|fail)|(?:denied|403|forbidden|fails?)\b.{0,40}\b\d+ (?:seconds|minutes|hours) after\b.{0,60}(?:assign|grant|role)|second (?:run|try|attempt) (?:succeeds|works|passes)", likely=True),
    _says(Kind.WRONG_MODEL, phrase=r"databricks could not access keyvault|must have .{0,5}get.{0,5}, .{0,5}wrapkey.{0,5} and .{0,5}unwrapkey.{0,5} permissions on the managed key", likely=True),
    _says(Kind.CONTROL_PLANE_AUTHORIZATION, phrase=r"\bdata source\b.{0,60}(?:fail|403|denied|forbidden).{0,120}(?:vault|secret)", likely=True),
    _says(Kind.TEMPLATE_ACCESS, phrase=r"\bgetSecret\(?\)?.{0,80}(?:deployment|module|parameter)\w{0,20}.{0,80}(?:fail|not found|missing|denied)|(?:deployment|bicepparam|parameter file).{0,60}\bgetSecret\b.{0,80}(?:fail|not found|missing|denied)", likely=True),
    _says(Kind.BAD_REQUEST, phrase=r"accesspolicies\b.{0,60}(?:rejected|required|is missing|cannot be null)", likely=True),
    _says(Kind.MISSING_ROLE, phrase=r"key vault (?:secrets|crypto|certificates?|reader|administrator|data|contributor|purge)[ \w]{0,30}.{0,80}(?:denied|403|forbidden|fail)|(?:denied|403|forbidden|fail)\w{0,20}.{0,80}(?:has|holds|with|assigned)\b.{0,30}key vault (?:secrets|crypto|certificates?|reader|administrator)", likely=True),
    _says(Kind.MISSING_POLICY, phrase=r"(?:denied|403|forbidden|fail)\w{0,20}.{0,80}access polic|(?:access )?policy\b.{0,80}(?:denied|403|forbidden)|(?:fail|403|forbidden|denied)\w{0,20}.{0,60}\bonly\b.{0,15}\bget\b", likely=True),
)  # fmt: skip
"""What people write where no service said anything: never more than likely. Only where no words of a service decide."""

_NO_SUCH_HOST = (
    r"ENOTFOUND|getaddrinfo failed|name or service not known|nodename nor servname|no such host|failed to resolve|"
    r"name resolution|could not resolve host|UnknownHostException|NXDOMAIN"
)


_TOKEN_WAS_HAD = frozenset(
    {
        Kind.MISSING_ROLE,
        Kind.MISSING_POLICY,
        Kind.CONTROL_PLANE_AUTHORIZATION,
        Kind.LINKED_AUTHORIZATION,
        Kind.OBJECT_DISABLED,
        Kind.OBJECT_NOT_FOUND,
        Kind.KEY_OPERATION,
    }
)
"""Kinds that a service tells only to a caller with a token."""

LONGEST_DESCRIPTION = 2_000
"""Characters of a text that may be somebody's description: a log of a program is not one."""


_SHARED = frozenset(
    {
        "secretnotfound",
        "keynotfound",
        "certificatenotfound",
        "throttled",
        "toomanyrequests",
        "badparameter",
        "invalidrequestformat",
    }
)
"""Codes that other services use too."""


def _confidence(found: Signature, facts: Facts) -> Confidence:
    """How sure a signature is here: a code that others use says little where nothing speaks of Key Vault."""
    said_in_words = bool(found.phrase) and facts.has(found.phrase)
    if said_in_words or facts.vault is not None or facts.has("key ?vault") or not found.codes & facts.codes <= _SHARED:
        return found.confidence
    return Confidence.LIKELY


def classify(facts: Facts) -> Classified:
    """The kind of an error, and how sure that is; `UNKNOWN` where the words have no meaning that is established."""
    matched = [item for item in SIGNATURES if item.matches(facts)]
    counted = [item for item in matched if not item.alone] or matched
    if any(item.kind in _TOKEN_WAS_HAD for item in counted):  # a chain of credentials tells each that had none
        counted.sort(key=lambda item: item.kind is Kind.WRONG_IDENTITY)
    said = [*counted, *(item for item in INCIDENTAL if item.matches(facts))]
    kinds = tuple(dict.fromkeys(item.kind for item in said))
    if counted:
        kind, confidence = _refined(counted[0], facts)
        if len(kinds) > 1:
            return Classified(kind, Confidence.LIKELY, kinds[1:])
        return Classified(kind, confidence)
    from_log = log_says(facts.log, facts.status)
    if from_log is not None:
        return Classified(*from_log)
    if said:
        return Classified(said[0].kind, Confidence.LIKELY, kinds[1:])
    return Classified(*_described(facts))


def _refined(found: Signature, facts: Facts) -> tuple[Kind, Confidence]:
    """A refusal by Azure RBAC, by what else its words say."""
    if found.kind is Kind.MISSING_ROLE and _is_denied(facts):
        return Kind.DENY_ASSIGNMENT, Confidence.CERTAIN
    if found.kind is Kind.MISSING_ROLE and _was_just_granted(facts):
        return Kind.PROPAGATION, Confidence.LIKELY
    if found.kind is Kind.CONTROL_PLANE_AUTHORIZATION and facts.has(r"deny assignment"):
        return Kind.DENY_ASSIGNMENT, Confidence.CERTAIN
    return found.kind, _confidence(found, facts)


def _described(facts: Facts) -> tuple[Kind, Confidence]:
    """What a text shows in which no service says anything."""
    if len(facts.text) < LONGEST_DESCRIPTION:
        told = next((item for item in DESCRIPTIONS if item.matches(facts)), None)
        if told is not None:
            return told.kind, told.confidence
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
