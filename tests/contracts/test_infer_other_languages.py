"""Needs of C#, TypeScript, JavaScript, Java and Go: one source for each way in which code uses a vault."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.contracts.infer import clock, grammars
from kvaudit.contracts.infer.project import READERS, read_sources

CS = "using Azure.Security.KeyVault.Secrets;\nusing Azure.Security.KeyVault.Keys;\nclass A { "
JS = "import { SecretClient } from '@azure/keyvault-secrets';\nimport { KeyClient, CryptographyClient } from '@azure/keyvault-keys';\n"
JAVA = "import com.azure.security.keyvault.secrets.*;\nimport com.azure.security.keyvault.keys.*;\nclass A { "
GO = 'package a\nimport (\n "github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"\n "net/http"\n)\n'
GO_OLD = 'package a\nimport "github.com/Azure/azure-sdk-for-go/services/keyvault/2016-10-01/keyvault"\n'
CERTIFICATES = "using Azure.Security.KeyVault.Certificates;\nclass A { async Task F(CertificateClient c) { "
SURE, LIKELY = "certain", "likely"
PROGRAMS = [
    pytest.param(".cs", CS + "void F() { var c = new SecretClient(u, k); c.GetSecret(n); } }", {("secrets/get", SURE)}, id="C#, plain"),
    pytest.param(".cs", CS + "SecretClient _c; async Task F() { await this._c.SetSecretAsync(n, v); } }", {("secrets/set", SURE)}, id="C#, field and async"),
    pytest.param(".cs", CS + "SecretClient[] cs; void F() { foreach (var c in cs) { c.PurgeDeletedSecret(n); } } }", {("secrets/purge", SURE)}, id="C#, foreach"),
    pytest.param(".cs", CS + "void F(SecretClient c) { c.GetPropertiesOfSecrets(); } }", set(), id="C#, a pager that nobody reads"),
    pytest.param(".cs", CS + "void F(SecretClient c) { var kept = c.GetPropertiesOfSecrets(); } }", set(), id="C#, a pager kept and not read"),
    pytest.param(".ts", JS + "const c = new SecretClient(u, k);\nconst kept = c.listPropertiesOfSecrets();", set(), id="TypeScript, a pager kept and not read"),
    pytest.param(".ts", JS + "const c = new SecretClient(u, k);\nconst kept = c.listPropertiesOfSecrets();\nkept.next();", {("secrets/list", SURE)}, id="TypeScript, a pager kept and read"),
    pytest.param(".cs", CS + "void F(SecretClient c) { foreach (var p in c.GetPropertiesOfSecrets()) {} } }", {("secrets/list", SURE)}, id="C#, a pager that is read"),
    pytest.param(".cs", CS + "void F() { new CryptographyClient(i, k).Sign(a, d); } }", {("keys/sign", SURE), ("keys/get", LIKELY)}, id="C#, crypto"),
    pytest.param(".cs", CERTIFICATES + "c.DownloadCertificate(n); } }", {("certificates/get", SURE), ("secrets/get", SURE)}, id="C#, export"),
    pytest.param(".cs", CERTIFICATES + "var p = c.StartCreateCertificate(n, q); await p.WaitForCompletionAsync(); } }", {("certificates/create", SURE), ("certificates/getOperation", SURE)}, id="C#, poller"),
    pytest.param(".cs", CS + "void F() { builder.AddAzureKeyVault(u, k); } }", {("secrets/get", LIKELY), ("secrets/list", LIKELY)}, id="C#, configuration"),
    pytest.param(".cs", 'class A { void F() { http.GetAsync($"https://kv-contoso.vault.azure.net/secrets/{n}?api-version=7.4"); } }', {("secrets/get", LIKELY)}, id="C#, REST"),
    pytest.param(".cs", "class A { void F(Store s) { s.GetSecret(n); } }", set(), id="C#, another library"),
    pytest.param(".ts", JS + "const c = new SecretClient(u, k);\nawait c.getSecret('n');", {("secrets/get", SURE)}, id="TypeScript, plain"),
    pytest.param(".ts", JS + "class A { private c: KeyClient; f() { return this.c.rotateKey('n'); } }", {("keys/rotate", SURE)}, id="TypeScript, field"),
    pytest.param(".tsx", JS + "const c = new SecretClient(u, k);\nfor await (const s of c.listPropertiesOfSecrets()) {}", {("secrets/list", SURE)}, id="TSX, loop"),
    pytest.param(".js", JS + "new CryptographyClient(i, k).decrypt('a', d);", {("keys/decrypt", SURE), ("keys/get", LIKELY)}, id="JavaScript, crypto"),
    pytest.param(".js", "fetch(`https://kv-contoso.vault.azure.net/secrets/${n}?api-version=7.4`, { method: 'PUT' });", {("secrets/set", LIKELY)}, id="JavaScript, REST"),
    pytest.param(".java", JAVA + "void f() { SecretClient c = new SecretClientBuilder().vaultUrl(u).buildClient(); c.getSecret(n); } }", {("secrets/get", SURE)}, id="Java, builder"),
    pytest.param(".java", JAVA + "private KeyAsyncClient k; void f() { k.createRsaKey(o).block(); } }", {("keys/create", SURE)}, id="Java, async"),
    pytest.param(".go", GO + "func f() { c, err := azsecrets.NewClient(u, k, nil)\n c.GetSecret(x, n, v, nil) }", {("secrets/get", SURE)}, id="Go, plain"),
    pytest.param(".go", GO + "func (a *A) f() { p := a.secretsClient.NewListSecretPropertiesPager(nil)\n p.NextPage(x) }", {("secrets/list", LIKELY)}, id="Go, a field of elsewhere"),
    pytest.param(".go", GO_OLD + "func f() { c := keyvault.New()\n c.GetCertificate(x, u, n, v) }", {("certificates/get", SURE)}, id="Go, legacy"),
    pytest.param(".go", GO + 'func f() { http.NewRequest("DELETE", "https://kv-contoso.vault.azure.net/secrets/n?api-version=7.4", nil) }', {("secrets/delete", LIKELY)}, id="Go, REST"),
    pytest.param(".go", 'package a\nfunc f() { s.GetSecret(x) }', set(), id="Go, another library"),
    pytest.param(".cs", CERTIFICATES + "var p = await c.GetCertificateOperationAsync(n); await p.CancelAsync(); } }", {("certificates/getOperation", SURE), ("certificates/updateOperation", SURE)}, id="C#, an operation is cancelled"),
    pytest.param(".cs", CS + "Lazy<CryptographyClient> c; void F() { c.Value.Sign(a, d); } }", {("keys/sign", SURE)}, id="C#, lazy"),
    pytest.param(".cs", CS + "void F(SecretClient c) { Run(c.GetSecret); } }", {("secrets/get", SURE)}, id="C#, handed on"),
    pytest.param(".cs", 'class A { const string Url = "https://kv-contoso.vault.azure.net/secrets/"; void F() { var u = $"{Url}{n}?api-version=7.4"; http.DeleteAsync(u); } }', {("secrets/delete", LIKELY)}, id="C#, REST in a name"),
    pytest.param(".cs", 'class A { void F() { var u = new Uri("https://kv-contoso.vault.azure.net/secrets/n?api-version=7.4"); http.DeleteAsync(u); } }', {("secrets/delete", LIKELY)}, id="C#, REST, an address made before"),
    pytest.param(".cs", 'class A { Uri F() { return new Uri("https://kv-contoso.vault.azure.net/secrets/n?api-version=7.4"); } }', {("secrets/get", LIKELY)}, id="C#, REST, an address given away"),
    pytest.param(".cs", "class A { void F(KeyVault kv) { kv.GetSecret(n); } }", {("secrets/get", "name only")}, id="C#, name only"),
    pytest.param(".js", "const base = 'https://kv-contoso.vault.azure.net';\nconst url = `${base}/keys/${k}/sign?api-version=7.4`;\naxios.post(url, body);", {("keys/sign", LIKELY)}, id="JavaScript, REST in a name"),
    pytest.param(".java", JAVA + "SecretClient c; void f() { load(c::getSecret); } }", {("secrets/get", SURE)}, id="Java, method reference"),
    pytest.param(".java", 'class A { String url() { return String.format("https://%s.vault.azure.net/keys/k/%s/sign?api-version=7.4", v, w); } void f() { HttpRequest.newBuilder(URI.create(url())).POST(b).build(); } }', {("keys/sign", LIKELY)}, id="Java, REST by a method"),
    pytest.param(".go", 'package a\nconst path = "/secrets/n?api-version=7.4"\nfunc f() { url := base + path\n http.NewRequest("PUT", url, nil) }', {("secrets/set", LIKELY)}, id="Go, REST in a name"),
    pytest.param(".go", "package a\nfunc f(keyvault Store) { keyvault.GetSecret(x) }", {("secrets/get", "name only")}, id="Go, name only"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "text", "expected"), PROGRAMS)
def test_patterns(suffix: str, text: str, expected: set[tuple[str, str]]) -> None:
    assert {(need.operation, need.grade.value) for need in READERS[suffix](text, "a")} == expected


@pytest.mark.parametrize(
    ("suffix", "text", "name"),
    [
        (".cs", CS + 'void F(SecretClient c) { c.SetSecret("db", "value"); } }', "db"),
        (".cs", CS + 'const string N = "db"; void F(SecretClient c) { c.GetSecret(N); } }', "db"),
        (".cs", CS + 'void F(SecretClient c) { c.SetSecret(n, "value"); } }', None),
        (".cs", CS + 'void F(SecretClient c) { c.SetSecret(value: "value", name: n); } }', None),
        (
            ".go",
            GO + 'func f() { c, _ := azsecrets.NewClient(u, k, nil)\n c.GetSecret(x, "db", "version", nil) }',
            "db",
        ),
        (".go", GO_OLD + 'func f() { c := keyvault.New()\n c.GetSecret(x, "https://kv", "db", v) }', "db"),
        (".js", JS + "new SecretClient(u, k).setSecret(n, 'value');", None),
        (".cs", CS + 'void F(KeyVaultClient c) { c.SetSecret("db", "value"); } }', None),
        (".go", GO + 'func f(secretsClient Own) { secretsClient.SetSecret("db", "value") }', None),
        (".go", GO_OLD + 'func f() { c := keyvault.New()\n c.SetSecret(x, "db", "value") }', None),
        (".py", "from azure.keyvault import KeyVaultClient\nKeyVaultClient(c).set_secret('db', 'value')", None),
        (".js", "fetch('https://kv-contoso.vault.azure.net/secrets/db?api-version=7.4');", "db"),
        (".py", "from azure.keyvault.secrets import SecretClient\nSecretClient(u, c).set_secret('db', 'value')", "db"),
        (".py", "from azure.keyvault.secrets import SecretClient\nSecretClient(u, c).set_secret(n, 'value')", None),
        (".py", "from azure.keyvault.secrets import SecretClient\nSecretClient(u, c).get_secret(name='db')", "db"),
    ],
)
def test_a_literal_name_is_told_and_a_value_never(suffix: str, text: str, name: str | None) -> None:
    (need,) = READERS[suffix](text, "a")
    assert need.object == name
    assert "value" not in repr(need)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(set(READERS) - {".py"})), st.text() | st.text(alphabet="(){}[]<>\"'`.=;$ aS\n"))
def test_any_text_is_read_without_a_crash(suffix: str, text: str) -> None:
    READERS[suffix](f"// key vault\n{text}", "a")


@pytest.mark.parametrize("suffix", [".cs", ".ts", ".java", ".go"])
@pytest.mark.parametrize("nested", ["(", "{", "f(", "a.b("])
def test_deep_nesting_is_answered_or_refused(suffix: str, nested: str) -> None:
    try:
        READERS[suffix]("// key vault\nx = " + nested * 3_000, "a")
    except ValueError as problem:
        assert "nested" in str(problem) or "not understood" in str(problem)  # noqa: PT017


def test_what_the_parser_could_not_be_stopped_in_is_not_begun() -> None:
    with pytest.raises(ValueError, match="more than 4000 signs <"):
        READERS[".cs"]("// key vault\nx = " + "a<" * 20_000, "a")


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "MOST_SECONDS", 0)
    for suffix in (".cs", ".py"):
        with pytest.raises(ValueError, match="not understood within 0 seconds"):
            READERS[suffix]("# key vault\n" if suffix == ".py" else "// key vault\n" + "class A {} " * 100, "a")


def test_without_the_extra_every_language_is_one_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.cs", "b.cs", "c.go", "d.py"):
        (tmp_path / name).write_text("// SecretClient" if name != "d.py" else "")
    for module in ("tree_sitter_c_sharp", "tree_sitter_go"):
        monkeypatch.setitem(sys.modules, module, None)
    grammars._parser.cache_clear()
    try:
        found = read_sources(tmp_path)
    finally:
        grammars._parser.cache_clear()
    assert found.files == 1
    assert found.problems == (
        "2 files of C# not looked into: pip install 'kvaudit[code]'",
        "1 file of Go not looked into: pip install 'kvaudit[code]'",
    )
