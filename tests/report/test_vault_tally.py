"""Vaults are counted in one process or in two, and the counts are the same."""

import subprocess
import sys
from pathlib import Path

from builders import estate, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.report.build import build_audit
from kvaudit.report.vault_tally import VaultCounter
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judge import judge_vault

_SIDE_BY_SIDE = """
import sys
sys.path[:0] = {paths}
from sample import audit_of, contoso
from kvaudit.access.evaluator import Access
from kvaudit.report.build import build_audit
from kvaudit.report import vault_tally
from kvaudit.report.vault_tally import VaultCounter
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judge import judge_vault
from kvaudit.rules import side_by_side

forked = []
start = side_by_side._Fork.result
side_by_side._Fork.result = lambda self: forked.append(1) or start(self)
counter = VaultCounter(Access(contoso()), RULES)
(whole,), parts = counter.all_vaults(), counter.all_vaults(least=2)
assert len(parts) == (2 if forked else 1), len(parts)
vault_tally._AHEAD = 2  # so that few vaults are enough to judge some first
ahead = VaultCounter(Access(contoso()), RULES).all_vaults(least=2)
assert len(ahead) == len(parts) + 1, len(ahead)
for found in (parts, ahead):
    assert list(whole.judgements) == [item for part in found for item in part.judgements]
    assert list(whole.readers) == [item for part in found for item in part.readers]
    assert whole.rows == sum(part.rows for part in found)
print("forked" if forked else "one process")
"""


def test_two_processes_find_what_one_finds() -> None:
    here = Path(__file__).parent
    paths = [str(here), str(here.parent), *(item for item in sys.path if "tests" in item)]
    code = _SIDE_BY_SIDE.replace("{paths}", repr(paths))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {"forked", "one process"}


def test_the_counter_of_an_estate_without_vaults() -> None:
    (found,) = VaultCounter(Access(estate(user("anna"))), RULES).all_vaults()
    assert (list(found.readers), found.rows) == ([], 0)


def test_a_failure_without_evidence_keeps_its_fix() -> None:
    of = estate(vault("kv-old", rbac=False))
    access = Access(of)
    audit = build_audit(access, tool_version="0", generated_at="2026-11-24T08:00:00Z")
    told = {rule.id: found.fix for rule, found in judge_vault(access.subject(of.vaults[0])) if found.fix}
    assert told
    assert {item.rule.id: item.judgement.fix for item in audit.findings if item.judgement.fix} == told
