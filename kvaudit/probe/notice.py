"""What a run of probes leaves behind in other people's logs, told before it begins. Sources: facts azure.md 6.2 and 11."""

from kvaudit.probe.probing import calls_per_vault

ASK_ABOVE = 20
"""Vaults above which a person is asked first: alerts about many vaults in a day are made for this."""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
"""Seconds between two rounds of `--wait`: doubled from the first to the longest. Changes take minutes to arrive."""

_ALERTS = ("KV_ListGetAnomaly", "KV_OperationVolumeAnomaly", "KV_UserAnomaly", "KV_AppAnomaly", "KV_UserAppAnomaly")
_DENIED_ALERTS = ("KV_UserAccessDeniedAnomaly",)
_MANY_ALERTS = ("KV_AccountVolumeAnomaly", "KV_AccountVolumeAccessDeniedAnomaly")


def rounds_within(wait: float | None) -> int:
    """The most rounds of probes that a `--wait` of so many seconds makes."""
    rounds, passed, pause = 1, 0.0, FIRST_PAUSE
    while wait is not None and passed < wait:
        passed += pause
        pause = min(pause * 2, LONGEST_PAUSE)
        rounds += 1
    return rounds


_CANARY_CALLS = 6
"""Writes of a canary whose calls need no repetition."""


def notice(vaults: int, wait: float | None, *, canary: bool = False) -> tuple[str, ...]:
    """What is about to happen, one fact a line."""
    each, rounds = calls_per_vault(), rounds_within(wait)
    once = vaults * each
    lines = (
        f"up to {once} lines in the audit logs (AuditEvent) of {vaults} vault{'' if vaults == 1 else 's'}, {each} each"
    )
    again = f", and up to {rounds - 1} times as many again while waiting" if rounds > 1 else ""
    writes = (
        f", and {_CANARY_CALLS} or more of each canary and one for every 25 names of secrets that are looked through"
        if canary
        else ""
    )
    nothing = "nothing but the canary is written" if canary else "nothing is written"
    alerts = [*_ALERTS, *_DENIED_ALERTS, *(_MANY_ALERTS if vaults > 1 else ())]
    return (
        f"this leaves {lines}{again}{writes}; {nothing}, and no value and no object that exists is read",
        f"Defender for Key Vault may raise {', '.join(alerts)}",
    )
