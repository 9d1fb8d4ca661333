"""Files of contracts: what they say, every mistake at once with its place, and YAML that means what it looks like."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.contracts.principals import PrincipalNames
from kvaudit.contracts.reading import ContractsError, parse_contracts
from kvaudit.contracts.schema import json_schema
from kvaudit.errors import UsageError
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.identities import ResourceIdentity, UserAssignedIdentity
from kvaudit.sources.yaml_source import parse_yaml, parse_yaml_documents

GOOD = """version: 1
x-shared: &reader [secrets/get, SECRETS/LIST]
workloads:
  - name: payments-api
    principal: payments-api
    vault: kv-payments-prod
    needs: *reader
    objects: {secrets: [db-*]}
    forbids: [secrets/purge]
  - name: batch
    principal: {app_id: 22222222-2222-2222-2222-222222222222}
    vaults: {tag: {app: batch, env: prod}}
    needs: [secrets/get, keys/purge]
defaults: {forbids: [secrets/purge, keys/purge]}
"""


def test_a_file_says_what_it_means() -> None:
    payments, batch = parse_contracts(GOOD, "c.yaml")
    assert payments.needs == ("secrets/get", "secrets/list")
    assert payments.objects == {"secrets": ("db-*",)}
    assert payments.forbids == ("secrets/purge", "keys/purge")
    assert payments.position.line == 4
    assert batch.principal == ("app_id", "22222222-2222-2222-2222-222222222222")
    assert batch.tags == {"app": "batch", "env": "prod"}
    assert batch.forbids == ("secrets/purge",), "a need takes its word out of the default"


def test_every_mistake_at_once_with_its_place() -> None:
    text = """version: 2
workloads:
  - name: a
    principal: {app_id: x, display_name: y}
    vault: kv
    vaults: [kv2]
    needs: [secrets/gett, secrets/list]
    forbids: [secrets/list]
    owner: me
  - principal: 7
    vault: kv
    needs: []
  - name: b
    name: c
    principal: p
    needs: [keys/sign]
"""
    with pytest.raises(ContractsError) as caught:
        parse_contracts(text, "c.yaml")
    told = "\n".join(caught.value.details)
    for place, words in [
        ("1:10", "must be 1"),
        ("3:5", "either vault or vaults"),
        ("4:16", "exactly one"),
        ("7:13", "did you mean secrets/get"),
        ("8:15", "both needed and forbidden"),
        ("9:5", "no such key"),
        ("10:5", "name: is missing"),
        ("10:16", "quotes"),
        ("12:12", "at least 1"),
        ("13:5", "either vault or vaults"),
        ("14:5", "second time"),
    ]:
        assert any(line.startswith(f"c.yaml:{place}:") and words in line for line in caught.value.details), (
            place,
            told,
        )
    assert list(caught.value.details) == sorted(
        caught.value.details, key=lambda line: [int(n) for n in line.split(":")[1:3]]
    )


ONE = """version: 1
workloads:
- {name: a, principal: p, vault: v, needs: [secrets/get], OBJECTS}
"""


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ("objects: {secrets: []}", ["c.yaml:3:78: workloads.1.objects.secrets: at least 1 is needed"]),
        ("objects: {keys: [a_b, 'a*', '[ab]']}", ["c.yaml:3:76", "c.yaml:3:87"]),
        ("objects: 7", ["c.yaml:3:68: workloads.1.objects: a mapping is needed: keys with values"]),
        (
            "objects: {keys: ['*']}}\n- {name: a, principal: p, vault: v, needs: [keys/get]",
            ["c.yaml:4:10: the workload 'a'"],
        ),
        ("<<: 3", ["c.yaml:3:63: what << takes in must be a mapping"]),
    ],
)
def test_what_would_be_kept_whatever_is_held_is_a_mistake(objects: str, told: list[str]) -> None:
    with pytest.raises(ContractsError) as caught:
        parse_contracts(ONE.replace("OBJECTS", objects), "c.yaml")
    assert len(caught.value.details) == len(told)
    assert all(words in line for words, line in zip(told, caught.value.details, strict=True)), caught.value.details


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("principal: {app_id: 1}", "principal.app_id: a text"),
        ("principal: 7", "principal: a text"),
        ("principal: []", "principal: a text"),
    ],
)
def test_a_principal_is_told_in_the_form_that_was_written(written: str, told: str) -> None:
    with pytest.raises(ContractsError) as caught:
        parse_contracts(ONE.replace("principal: p", written).replace(", OBJECTS", ""), "c.yaml")
    (line,) = caught.value.details
    assert f"workloads.1.{told} is needed" in line


@pytest.mark.parametrize(
    "text", ["", "[]", "version: 1", "a: [", "a: b: c", "\t- x", "%", "---\n---\n", "version: 1\nworkloads: 7\n"]
)
def test_what_is_no_file_of_contracts_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"c\.yaml"):
        parse_contracts(text, "c.yaml")


def test_yaml_means_what_it_looks_like() -> None:
    root = parse_yaml("on: yes\nno: off\na: 012\nb: 1.10\nc: 2026-01-01\nd: ~\ne: true\nf: 1_000\n", "t").root
    assert root.plain() == {
        "on": "yes", "no": "off", "a": 12, "b": 1.1, "c": "2026-01-01", "d": None, "e": True, "f": "1_000",
    }  # fmt: skip
    merged = parse_yaml("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n", "t").root
    assert merged.plain()["use"] == {"x": 1, "y": 3}
    assert [item.root.plain() for item in parse_yaml_documents("a: 1\n---\nb: 2\n", "t")] == [{"a": 1}, {"b": 2}]


def test_yaml_that_multiplies_itself_is_refused() -> None:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{n}: &{n} [{','.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (laughs, "[" * 5000, "a: &a\n  b: *a\n"):
        with pytest.raises(UsageError):
            parse_yaml(text, "t")
    once = "a: &a [x]\nb: *a\nc: [" + ",".join(["[1]"] * 60_000) + "]\n"
    assert len(parse_yaml(once, "t").root.plain()["c"]) == 60_000, "what stands written out is no repetition"


@given(st.text(alphabet=st.sampled_from("version: 1\n-[]{}&*ab<>|'\"#%workloads"), max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    problem = _refusal(text)
    assert problem is None or "c.yaml" in problem.message


def _refusal(text: str) -> UsageError | None:
    try:
        parse_contracts(text, "c.yaml")
    except UsageError as problem:
        return problem
    return None


def test_the_published_schema_accepts_what_the_reader_accepts() -> None:
    import jsonschema

    schema: Any = json_schema()
    json.dumps(schema)
    jsonschema.validate(_without_anchors(GOOD), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "workloads": [{"name": "a"}]}, schema)


def _without_anchors(text: str) -> Any:
    plain = parse_yaml(text, "t").root.plain()
    return {key: value for key, value in plain.items() if not key.startswith("x-")}


def test_names_of_principals() -> None:
    vm = "/subscriptions/1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"
    names = PrincipalNames(
        Estate(
            principals={
                "aaa": Principal("aaa", "User", display_name="Payments", user_principal_name="pay@contoso.com"),
                "bbb": Principal("bbb", "ServicePrincipal", display_name="payments", app_id="app-1"),
                "ccc": Principal("ccc", "ServicePrincipal", alternative_names=("isExplicit=False", vm.upper())),
            },
            resource_identities=(ResourceIdentity("/subscriptions/1/x", "t", "bbb"),),
        )
    )
    assert names.meant_by("PAYMENTS") == ("aaa", "bbb")
    assert names.meant_by("payments", "app_id") == ()
    assert names.meant_by("App-1") == ("bbb",)
    assert names.meant_by("pay@contoso.com") == ("aaa",)
    assert names.meant_by(vm) == ("ccc",)
    assert names.meant_by("/subscriptions/1/X", "resource_id") == ("bbb",)
    assert names.meant_by("33333333-3333-3333-3333-333333333333") == ("33333333-3333-3333-3333-333333333333",)
    assert names.meant_by("nobody") == ()


def test_a_registration_is_not_meant_where_its_service_principal_is() -> None:
    identity = "/subscriptions/1/resourcegroups/rg/providers/microsoft.managedidentity/userassignedidentities/id"
    names = PrincipalNames(
        Estate(
            principals={
                "reg": Principal("reg", "Application", display_name="shop", app_id="app-1"),
                "bbb": Principal("bbb", "ServicePrincipal", display_name="shop", app_id="app-1"),
                "alone": Principal("alone", "Application", app_id="app-2"),
                "ccc": Principal("ccc", "ServicePrincipal", alternative_names=("isExplicit=False",)),
            },
            user_assigned_identities=(UserAssignedIdentity(identity, "ccc", "client-1"),),
            resource_identities=(ResourceIdentity("/subscriptions/1/x", "t", "bbb", (identity,), ("ccc",)),),
        )
    )
    assert names.meant_by("APP-1") == names.meant_by("app-1", "app_id") == names.meant_by("shop") == ("bbb",)
    assert names.meant_by("app-2") == ("alone",)
    assert names.meant_by("reg") == ("reg",), "the object ID says which"
    assert names.meant_by("client-1") == names.meant_by(f"{identity}/") == ("ccc",)
    assert names.meant_by("/subscriptions/1/X/") == ("bbb", "ccc"), "which of its identities is not said"
    assert names.meant_by("isExplicit=False") == ()


def test_a_character_that_yaml_does_not_allow_is_told_with_its_place() -> None:
    with pytest.raises(UsageError, match=r"^c\.yaml:2:8: this is no YAML"):
        parse_contracts('version: 1\nä: \U0001f511 "x\x1b"\n', "c.yaml")
