"""What each permission word needs: the lab's own table, written from the facts and not from the product's.

A test prints where it differs from `kvaudit/data/permissions.json`.
"""

from dataclasses import dataclass

_KV = "Microsoft.KeyVault/vaults/"


@dataclass(frozen=True, slots=True)
class Word:
    """One permission word.

    Attributes:
        word: `kind/name`.
        data_action: the one data action it needs in an RBAC vault.
        policy_words: words of an access policy of which one is enough.
        vault_only: a collection call, checked on the vault and never on an object.
        writes: changes the object; an object-scope grant does not allow it here (see `evaluator`).
    """

    word: str
    data_action: str
    policy_words: frozenset[str]
    vault_only: bool = False
    writes: bool = False


def _table() -> dict[str, Word]:
    # word, data action below vaults/, policy words when they are not the word itself, flags: v = vault only, w = writes
    rows = """
    secrets/get                  secrets/getSecret/action       -                                                   -
    secrets/list                 secrets/readMetadata/action    -                                                   v
    secrets/set                  secrets/setSecret/action       -                                                   w
    secrets/update               secrets/update/action          secrets/set                                         w
    secrets/delete               secrets/delete                 -                                                   w
    secrets/recover              secrets/recover/action         -                                                   w
    secrets/backup               secrets/backup/action          -                                                   -
    secrets/restore              secrets/restore/action         -                                                   v
    secrets/purge                secrets/purge/action           -                                                   w
    keys/get                     keys/read                      -                                                   -
    keys/list                    keys/read                      -                                                   v
    keys/update                  keys/update/action             -                                                   w
    keys/create                  keys/create/action             -                                                   w
    keys/import                  keys/import/action             -                                                   w
    keys/delete                  keys/delete                    -                                                   w
    keys/recover                 keys/recover/action            -                                                   w
    keys/backup                  keys/backup/action             -                                                   -
    keys/restore                 keys/restore/action            -                                                   v
    keys/purge                   keys/purge/action              -                                                   w
    keys/encrypt                 keys/encrypt/action            -                                                   -
    keys/decrypt                 keys/decrypt/action            -                                                   -
    keys/wrapKey                 keys/wrap/action               -                                                   -
    keys/unwrapKey               keys/unwrap/action             -                                                   -
    keys/sign                    keys/sign/action               -                                                   -
    keys/verify                  keys/verify/action             -                                                   -
    keys/release                 keys/release/action            -                                                   -
    keys/rotate                  keys/rotate/action             -                                                   w
    keys/getrotationpolicy       keyrotationpolicies/read       -                                                   -
    keys/setrotationpolicy       keyrotationpolicies/write      -                                                   w
    certificates/get             certificates/read              -                                                   -
    certificates/list            certificates/read              -                                                   v
    certificates/update          certificates/update/action     -                                                   w
    certificates/create          certificates/create/action     -                                                   w
    certificates/import          certificates/import/action     -                                                   w
    certificates/delete          certificates/delete            -                                                   w
    certificates/recover         certificates/recover/action    -                                                   w
    certificates/backup          certificates/backup/action     -                                                   -
    certificates/restore         certificates/restore/action    -                                                   v
    certificates/purge           certificates/purge/action      -                                                   w
    certificates/managecontacts  certificatecontacts/write      -                                                   v
    certificates/manageissuers   certificatecas/write           -                                                   v
    certificates/getissuers      certificatecas/read            certificates/getissuers,certificates/manageissuers  v
    certificates/listissuers     certificatecas/read            certificates/listissuers,certificates/manageissuers v
    certificates/setissuers      certificatecas/write           -                                                   v
    certificates/deleteissuers   certificatecas/delete          certificates/deleteissuers,certificates/manageissuers v
    """
    table: dict[str, Word] = {}
    for line in rows.strip().splitlines():
        word, action, policy, flags = line.split()
        words = frozenset({word.casefold()} if policy == "-" else policy.casefold().split(","))
        table[word.casefold()] = Word(word, _KV + action, words, "v" in flags, "w" in flags)
    return table


WORDS = _table()
"""By casefolded word."""


def word(name: str) -> Word:
    """The word of this name, in any case. Raises KeyError for a name that is not a word."""
    return WORDS[name.casefold()]
