"""Needs of Python code: one source for each way in which code uses a vault."""

from pathlib import Path

import pytest

from kvaudit.contracts.infer.draft import as_yaml
from kvaudit.contracts.infer.needs import Grade
from kvaudit.contracts.infer.project import read_sources
from kvaudit.contracts.infer.python_source import python_needs
from kvaudit.contracts.reading import parse_contracts

SECRETS = "from azure.keyvault.secrets import SecretClient\n"
AIO = "from azure.keyvault.keys.aio import KeyClient\n"
MAKE = SECRETS + "client = SecretClient('https://kv-contoso.vault.azure.net', cred)\n"


def found(text: str) -> set[tuple[str, str]]:
    return {(need.operation, need.grade.value) for need in python_needs(text, "a.py")}


def certain(*operations: str) -> set[tuple[str, str]]:
    return {(operation, "certain") for operation in operations}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(MAKE + "client.get_secret('db')", certain("secrets/get"), id="plain"),
        pytest.param("import azure.keyvault.secrets as kv\nkv.SecretClient(u, c).set_secret('a', 'b')", certain("secrets/set"), id="alias"),
        pytest.param(AIO + "async def f(u):\n  async with KeyClient(u, c) as k:\n    await k.get_key('x')", certain("keys/get"), id="with"),
        pytest.param(AIO + "async def f(k: KeyClient):\n  await k.delete_key('x')", certain("keys/delete"), id="annotation, aio name"),
        pytest.param(SECRETS + "class A:\n  def __init__(self):\n    self.c = SecretClient(u, c)\n  def f(self):\n    return self.c.get_secret('x')", certain("secrets/get"), id="attribute"),
        pytest.param(SECRETS + "def make():\n  return SecretClient(u, c)\nmake().begin_delete_secret('x')", certain("secrets/delete"), id="factory"),
        pytest.param(SECRETS + "def f(store):\n  store.purge_deleted_secret('x')\nf(SecretClient(u, c))", certain("secrets/purge"), id="argument"),
        pytest.param(SECRETS + "cs = {}\ncs['a'] = SecretClient(u, c)\ncs['b'].backup_secret('x')", certain("secrets/backup"), id="container"),
        pytest.param(MAKE + "loop.run_in_executor(None, client.get_secret, 'x')", certain("secrets/get"), id="handed on"),
        pytest.param(MAKE + "getattr(client, 'get_secret')('x')", certain("secrets/get"), id="getattr"),
        pytest.param(MAKE + "client.list_properties_of_secrets()", set(), id="a pager that nobody reads"),
        pytest.param(MAKE + "def f():\n  pages = client.list_properties_of_secrets()\n  return 1", set(), id="a pager kept and not read"),
        pytest.param(MAKE + "next(client.list_properties_of_secrets())", certain("secrets/list"), id="a pager that is read"),
        pytest.param(MAKE + "# client.set_secret('a', 'b')\n'''client.get_secret('x')'''", set(), id="comments and texts"),
        pytest.param(SECRETS + "def get_secret(n):\n  return n\nget_secret('x')", set(), id="own function of the name"),
        pytest.param("import boto3\nc = boto3.client('x')\nc.get_secret('x')", set(), id="another library"),
        pytest.param("from azure.mgmt.keyvault import KeyVaultManagementClient as K\nK(c, s).keys.list('rg', 'v')", set(), id="control plane"),
        pytest.param("from azure.keyvault import KeyVaultClient\nKeyVaultClient(c).get_secret(u, 'n', '')", certain("secrets/get"), id="legacy"),
        pytest.param(
            "from azure.keyvault.keys.crypto import CryptographyClient\nCryptographyClient(i, c).sign(a, d)",
            {("keys/sign", "certain"), ("keys/get", "likely")}, id="crypto fetches the key",
        ),
        pytest.param(
            "from azure.keyvault.certificates import CertificateClient as C\nC(u, c).begin_create_certificate('n', p)",
            {("certificates/create", "certain"), ("certificates/getOperation", "likely")}, id="poller",
        ),
        pytest.param(SECRETS + "x = session.client(SecretClient)\nx.get_secret('n')", {("secrets/get", "likely")}, id="a helper of elsewhere"),
        pytest.param("import azure.keyvault.secrets\nSPEC = ('list_properties_of_secrets', None)", {("secrets/list", "likely")}, id="named in a string"),
        pytest.param(
            "from azure.appconfiguration.provider import load\nload(endpoint=e, keyvault_credential=c)", {("secrets/get", "likely")}, id="App Configuration",
        ),
        pytest.param("requests.get(f'{vault}/secrets/{name}?api-version=7.4')", {("secrets/get", "likely")}, id="REST"),
        pytest.param("u = base + '/keys/' + name + '/create?api-version=7.4'\nrequests.post(u)", {("keys/create", "likely")}, id="REST, joined"),
        pytest.param("requests.get('https://kv.vault.azure.net/secrets/n/versions')", {("secrets/listVersions", "likely")}, id="REST, versions"),
        pytest.param("x = 'https://kv.vault.azure.net/secrets/n'\ny = 'a'\n" + "y = y + y\n" * 60 + "requests.get(x + y)", {("secrets/get", "likely")}, id="REST, a name made of itself"),
        pytest.param("BASE = 'https://kv.vault.azure.net'\ndef f(n):\n  u = f'{BASE}/secrets/{n}'\n  requests.delete(u)", {("secrets/delete", "likely")}, id="REST, constant"),
        pytest.param("x = y + 'a'\ny = x + 'https://kv.vault.azure.net'\nrequests.get(x)", set(), id="names that make each other"),
        pytest.param(MAKE + "def f():\n  pages = client.list_properties_of_secrets()\n  return lambda: list(pages)", certain("secrets/list"), id="a pager that a function inside reads"),
        pytest.param("requests.get('https://example.com/secrets/n')", set(), id="REST of somebody else"),
        pytest.param("def f(vault, keyvault):\n  vault.get_secret('n')", {("secrets/get", "name only")}, id="name only"),
    ],
)  # fmt: skip
def test_patterns(text: str, expected: set[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_places_and_the_vault_of_a_literal_address() -> None:
    need = python_needs(MAKE + "\nclient.get_secret('x')\n", "src/app.py")[0]
    assert (need.file, need.line, need.vault, need.word) == ("src/app.py", 4, "kv-contoso", "secrets/get")


@pytest.mark.parametrize("text", ["def (", "print 'two'", "(" * 5000, "\x0c" * 3 + "x ="])
def test_what_is_no_python_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"line \d|nested"):
        python_needs(f"{text}  # key vault", "a.py")


def test_a_folder_becomes_contracts_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MAKE + "client.get_secret('x')\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a\n- evil: true.py").write_text(MAKE + "client.set_secret('x', 'y')\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.py").write_text(MAKE + "client.purge_deleted_secret('x')\n")
    (tmp_path / "broken.py").write_text("def (  # key vault")
    (tmp_path / "loop").symlink_to(tmp_path)
    inferred = read_sources(tmp_path)
    assert [(need.word, need.grade) for need in inferred.needs] == [
        ("secrets/get", Grade.CERTAIN),
        ("secrets/set", Grade.CERTAIN),
    ]
    assert len(inferred.problems) == 1
    assert inferred.problems[0].startswith("broken.py: line 1")
    text = as_yaml(inferred, "shop: [x]")
    (contract,) = parse_contracts(text, "contracts.yaml")
    assert (contract.name, contract.vaults, contract.needs) == (
        "shop: [x]",
        ("kv-contoso",),
        ("secrets/get", "secrets/set"),
    )
    assert "# certain: app.py:3 client.get_secret()" in text
