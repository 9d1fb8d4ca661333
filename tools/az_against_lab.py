"""The Azure CLI, unmodified, against the lab: sign in, list vaults and role assignments, show a vault.

A nox session (`nox -s az`), not part of the test run: azure-cli is large. Ends with 0 when every answer is right.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from kvaudit.lab import start

AZ = (sys.executable, "-m", "azure.cli")


def main() -> None:
    """Runs the commands and compares what they print with the estate."""
    with tempfile.TemporaryDirectory() as home, start("contoso") as lab:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "AZURE_CONFIG_DIR": str(Path(home) / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "true",
            **lab.environment("auditor"),
        }
        az = _Az(environment)
        az.run(
            "login",
            "--service-principal",
            "--username",
            environment["AZURE_CLIENT_ID"],
            "--password",
            environment["AZURE_CLIENT_SECRET"],
            "--tenant",
            environment["AZURE_TENANT_ID"],
        )
        subscriptions = az.run("account", "list", "--all")
        print(f"signed in; {len(subscriptions)} subscriptions")
        checked = 0
        for vault in lab.world.estate.vaults.values():
            subscription = vault["id"].split("/")[2]
            if not any(item["id"].casefold() == subscription.casefold() for item in subscriptions):
                continue
            shown = az.run("keyvault", "show", "--name", vault["name"], "--subscription", subscription)
            assert shown["id"].casefold() == vault["id"].casefold(), (shown["id"], vault["id"])
            checked += 1
            if checked == 3:
                break
        vaults = az.run("keyvault", "list", "--subscription", subscriptions[0]["id"])
        assignments = az.run("role", "assignment", "list", "--all", "--subscription", subscriptions[0]["id"])
        print(
            f"{len(vaults)} vaults and {len(assignments)} role assignments listed in {subscriptions[0]['name']}; {checked} vaults shown"
        )
        assert vaults, "no vault was listed"
        assert assignments, "no role assignment was listed"
        assert checked == 3, checked


class _Az:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def run(self, *words: str) -> Any:
        done = subprocess.run(
            [*AZ, *words, "--output", "json"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            sys.exit(f"az {' '.join(words[:3])}: {done.stderr.strip()}")
        return json.loads(done.stdout or "null")


if __name__ == "__main__":
    main()
