"""Managed HSMs in an audit: listed, and not assessed, because an HSM has an authorisation of its own."""

from kvaudit.model.estate import Estate
from kvaudit.report.text import counted, visible

_SHOWN = 5


def unassessed_hsms(estate: Estate) -> str | None:
    """The sentence that says which managed HSMs there are and that nothing was judged; None where there are none."""
    found = sorted(item.name for item in estate.managed_hsms)
    if not found:
        return None
    names = ", ".join(visible(name, limit=40) for name in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{counted(len(found), 'managed HSM')} listed and not assessed (local RBAC was not read): {names}{more}"
