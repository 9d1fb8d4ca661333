"""Manifests of the External Secrets Operator: what is read and written, of which vault, and what a store elsewhere leaves open."""

from pathlib import Path

import pytest

from kvaudit.contracts.infer.configuration import configuration_needs
from kvaudit.contracts.infer.needs import Need
from kvaudit.contracts.infer.project import read_sources

STORE = """apiVersion: external-secrets.io/v1
kind: SecretStore
metadata:
  name: contoso
spec:
  provider:
    azurekv:
      authType: WorkloadIdentity
      vaultUrl: "https://KV-Contoso.vault.azure.net"
      serviceAccountRef:
        name: shop
"""
EXTERNAL = """apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: shop
spec:
  refreshInterval: 1h
  secretStoreRef:
    name: contoso
  target:
    name: shop
  data:
    - secretKey: password
      remoteRef:
        key: db-password
    - secretKey: signing
      remoteRef:
        key: key/signing
    - secretKey: tls
      remoteRef:
        key: cert/shop-tls
        property: x
    - secretKey: token
      remoteRef:
        key: secret/token
"""
FIND = """apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata: {name: all}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: contoso}
  dataFrom:
    - find:
        name: {regexp: "^shop-"}
    - extract: {key: settings}
    - sourceRef:
        generatorRef: {kind: Password, name: random}
"""
PUSH = """apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: {name: back}
spec:
  deletionPolicy: Delete
  secretStoreRefs:
    - name: contoso
      kind: SecretStore
  data:
    - match:
        secretKey: a
        remoteRef: {remoteKey: api-key}
    - match:
        secretKey: b
        remoteRef: {remoteKey: cert/shop-tls}
"""


def told(needs: tuple[Need, ...]) -> set[tuple[str, str, str | None, str | None]]:
    return {(need.operation, need.grade.value, need.vault, need.object) for need in needs}


def inferred(text: str) -> set[tuple[str, str, str | None, str | None]]:
    return told(configuration_needs(text, "k8s/a.yaml"))


READ = {
    ("secrets/get", "certain", "kv-contoso", "db-password"),
    ("keys/get", "certain", "kv-contoso", "signing"),
    ("certificates/get", "certain", "kv-contoso", "shop-tls"),
    ("secrets/get", "certain", "kv-contoso", "token"),
}


def test_what_an_external_secret_reads_is_named_with_its_vault() -> None:
    assert inferred(f"{STORE}---\n{EXTERNAL}") == READ
    assert inferred(f"{EXTERNAL}---\n{STORE}") == READ
    lines = {need.object: need.line for need in configuration_needs(f"{STORE}---\n{EXTERNAL}", "a.yaml")}
    assert lines["db-password"] == STORE.count("\n") + 1 + EXTERNAL[: EXTERNAL.index("db-password")].count("\n") + 1


def test_find_lists_and_gets_and_a_generator_asks_no_vault() -> None:
    store = STORE.replace("kind: SecretStore", "kind: ClusterSecretStore")
    assert inferred(f"{store}---\n{FIND}") == {
        ("secrets/list", "certain", "kv-contoso", None),
        ("secrets/get", "certain", "kv-contoso", None),
        ("secrets/get", "certain", "kv-contoso", "settings"),
    }


def test_what_is_pushed_is_read_before_it_is_written() -> None:
    assert inferred(f"{STORE}---\n{PUSH}") == {
        *((f"secrets/{name}", "certain", "kv-contoso", "api-key") for name in ("get", "set", "delete")),
        *((f"certificates/{name}", "certain", "kv-contoso", "shop-tls") for name in ("get", "import", "delete")),
    }
    kept = inferred(f"{STORE}---\n{PUSH}".replace("  deletionPolicy: Delete\n", ""))
    assert {item[0] for item in kept} == {"secrets/get", "secrets/set", "certificates/get", "certificates/import"}


def test_cluster_wide_ones_and_lists_are_looked_into() -> None:
    body = EXTERNAL.partition("spec:\n")[2]
    cluster = "apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nmetadata: {name: x}\nspec:\n  externalSecretSpec:\n"
    cluster += "".join(f"  {line}\n" for line in body.splitlines())
    assert inferred(f"{STORE}---\n{cluster}") == READ
    listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"- {part.splitlines()[0]}\n" + "".join(f"  {line}\n" for line in part.splitlines()[1:])
        for part in (STORE, EXTERNAL)
    )
    assert inferred(listed) == READ


@pytest.mark.parametrize("provider", ["vault", "aws", "gcpsm"])
def test_a_store_of_another_provider_asks_no_key_vault(provider: str) -> None:
    assert inferred(f"{STORE.replace('azurekv', provider)}---\n{EXTERNAL}") == set()


def test_the_store_may_stand_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "store.yaml").write_text(STORE)
    (tmp_path / "shop.yaml").write_text(EXTERNAL)
    found = read_sources(tmp_path)
    assert (told(found.needs), found.problems) == (READ, ())


def test_the_store_beside_goes_before_those_of_other_folders(tmp_path: Path) -> None:
    for name in ("dev", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "store.yaml").write_text(STORE.replace("KV-Contoso", f"kv-{name}"))
    (tmp_path / "prod" / "shop.yaml").write_text(EXTERNAL)
    (tmp_path / "base.yaml").write_text(EXTERNAL)
    vaults = {need.file: need.vault for need in read_sources(tmp_path).needs}
    assert vaults == {"prod/shop.yaml": "kv-prod", "base.yaml": None}, "of the base either may be meant"


@pytest.mark.parametrize(("name", "grade"), [("contoso", "name only"), ("azure-store", "likely"), ("akv", "likely")])
def test_a_store_that_is_in_no_file_may_be_of_any_provider(name: str, grade: str) -> None:
    needs = configuration_needs(EXTERNAL.replace("name: contoso", f"name: {name}"), "a.yaml")
    assert {(need.grade.value, need.vault) for need in needs} == {(grade, None)}
    assert all(need.why.endswith(f"from the SecretStore {name}, which is in no file here") for need in needs)


def test_a_source_of_its_own_goes_before_that_of_the_whole() -> None:
    own = "      sourceRef:\n        storeRef: {name: other}\n"
    other = STORE.replace("name: contoso", "name: other").replace("KV-Contoso", "kv-other")
    text = EXTERNAL.replace("    - secretKey: signing\n", f"    - secretKey: signing\n{own}")
    assert ("keys/get", "certain", "kv-other", "signing") in inferred(f"{STORE}---\n{other}---\n{text}")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ('"{{ .name }}"', {("secrets/get", None)}),
        ('"${kind}/db"', {("secrets/get", None)}),
        ("team/db", set()),
        ("12345", {("secrets/get", "12345")}),
        ("", set()),
        ("[db]", set()),
    ],
)
def test_names_that_are_no_literal_or_no_object(key: str, expected: set[tuple[str, str | None]]) -> None:
    text = EXTERNAL[: EXTERNAL.index("    - secretKey: signing")].replace("db-password", key)
    assert {(item[0], item[3]) for item in inferred(f"{STORE}---\n{text}")} == expected


def test_a_vault_whose_address_is_no_literal_is_not_named() -> None:
    text = STORE.replace("https://KV-Contoso.vault.azure.net", "${VAULT_URL}")
    assert {item[1:3] for item in inferred(f"{text}---\n{EXTERNAL}")} == {("certain", None)}


def test_a_chart_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    (tmp_path / "chart.yaml").write_text(f"{EXTERNAL}    - {{{{ .Values.more }}}}: [\n")
    (tmp_path / "store.yaml").write_text(STORE)
    found = read_sources(tmp_path)
    assert found.needs == ()
    assert [problem.partition(":")[0] for problem in found.problems] == ["chart.yaml"]


@pytest.mark.parametrize(
    "spec",
    ["[]", "{data: 3}", "{data: [x, {remoteRef: []}], dataFrom: {find: 1}}", "null", "{secretStoreRef: [], data: [{remoteRef: {key: }}]}"],
)  # fmt: skip
def test_manifests_of_any_shape_are_borne(spec: str) -> None:
    for kind in ("ExternalSecret", "ClusterExternalSecret", "PushSecret", "SecretStore"):
        configuration_needs(f"apiVersion: external-secrets.io/v1\nkind: {kind}\nspec: {spec}\n", "a.yaml")
