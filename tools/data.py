"""Generates `kvaudit/data/*.json` from the published facts beside the project.

Run `python tools/data.py FACTS_DIR` (the folder with permissions.json, operations.json, builtin-roles.json,
controls.json). Each file keeps its source and date in `_source`; `MANIFEST.json` holds the SHA-256 of every file, which
a test compares. Data of Azure is never edited by hand.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "kvaudit" / "data"

CLOUDS: dict[str, Any] = {
    "_source": "facts azure.md 10: azure-cli-core cloud.py (2.91.0) and Key Vault documentation of 2026-08",
    "clouds": [
        {
            "name": "public",
            "arm": "https://management.azure.com",
            "arm_audience": "https://management.azure.com",
            "authority": "https://login.microsoftonline.com",
            "graph": "https://graph.microsoft.com",
            "vault_suffix": ".vault.azure.net",
        },
        {
            "name": "usgov",
            "arm": "https://management.usgovcloudapi.net",
            "arm_audience": "https://management.usgovcloudapi.net",
            "authority": "https://login.microsoftonline.us",
            "graph": "https://graph.microsoft.us",
            "vault_suffix": ".vault.usgovcloudapi.net",
        },
        {
            "name": "china",
            "arm": "https://management.chinacloudapi.cn",
            "arm_audience": "https://management.chinacloudapi.cn",
            "authority": "https://login.chinacloudapi.cn",
            "graph": "https://microsoftgraph.chinacloudapi.cn",
            "vault_suffix": ".vault.azure.cn",
        },
    ],
}


def main(facts: Path) -> None:
    """Writes every data file from the facts folder."""
    tables = {
        "permissions.json": _load(facts / "permissions.json"),
        "operations.json": _load(facts / "operations.json"),
        "roles.json": _load(facts / "builtin-roles.json"),
        "controls.json": _load(facts / "controls.json"),
        "clouds.json": CLOUDS,
    }
    hashes = {}
    for name, table in sorted(tables.items()):
        text = json.dumps(table, indent=0, ensure_ascii=True, sort_keys=False) + "\n"
        (DATA / name).write_text(text, encoding="utf-8")
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()
    (DATA / "MANIFEST.json").write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
