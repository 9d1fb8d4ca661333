"""ARM templates: what they declare, what they leave to the deployment, and hostile input."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.sources.json_source import JsonSourceError, parse_json
from kvaudit.sources.located import Node
from kvaudit.sources.reading import UnreadableFileError, decode, read_text
from kvaudit.templates.arm import is_parameters, is_template, parameter_values, read_arm
from kvaudit.templates.arm_evaluation import DeploymentPlace, Evaluator
from kvaudit.templates.declarations import FileDeclarations
from kvaudit.templates.unknown import Unknown, unknown_in

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
USER = "4633458b-17de-408a-b874-0445c86b69e6"


def template(**parts: Any) -> str:
    return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", **parts}, indent=1)


def vault(name: str = "kv-contoso", version: str = "2023-07-01", **properties: Any) -> dict[str, Any]:
    return {"type": "Microsoft.KeyVault/vaults", "apiVersion": version, "name": name, "properties": properties}


def read(text: str, **parameters: Any) -> FileDeclarations:
    return read_arm(text, "main.json", parameters=parameters)


def evaluate(expression: str, **parts: Any) -> Any:
    root = parse_json(json.dumps(parts), "t").root
    place = DeploymentPlace("11111111-1111-1111-1111-111111111111", "rg-payments")
    return Evaluator(root, {}, place).text(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[concat('kv-', 'a', 1)]", "kv-a1"),
        ("[format('{0}-{1}{{}}', 'kv', 7)]", "kv-7{}"),
        ("[toLower(replace('A-B', '-', ''))]", "ab"),
        ("[if(equals('a', 'A'), 1, 2)]", 2),
        ("[if(and(true(), not(false())), 'yes', reference('x'))]", "yes"),
        ("[or(reference('x'), true())]", True),
        ("[createObject('a', createArray(1, 2)).a[1]]", 2),
        ("[union(createObject('a', createObject('b', 1)), createObject('a', createObject('c', 2)))]", {"a": {"b": 1, "c": 2}}),
        ("[contains(createObject('Key', 1), 'key')]", True),
        ("[length(split('a,b;c', createArray(',', ';')))]", 3),
        ("[coalesce(null(), 'x')]", "x"),
        ("[empty('')]", True),
        ("[[not an expression]", "[not an expression]"),
        ("['it''s']", "it's"),
        ("[tryGet(createObject('a', 1), 'b')]", None),
        (
            "[resourceId('Microsoft.KeyVault/vaults/secrets', 'kv', 'db')]",
            "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv/secrets/db",
        ),
        ("[resourceGroup().name]", "rg-payments"),
    ],
)  # fmt: skip
def test_expressions_that_are_decided(expression: str, value: Any) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("[uniqueString('a')]", "not published"),
        ("[reference('x').id]", "during the deployment"),
        ("[concat('kv-', utcNow())]", "time of the deployment"),
        ("[parameters('missing')]", "no parameter"),
        ("[subscription().tenantId]", "tenant of the deployment"),
        ("[substring('abc', 9)]", "beyond"),
        ("[nosuch('a')]", "nosuch"),
        ("[concat('a'", "missing"),
        ("[concat('a') b]", "one too many"),
        ("[copyIndex()]", "outside of a loop"),
        ("[createObject('a', 1).b]", "no 'b'"),
    ],
)
def test_what_is_not_decided_says_why(expression: str, reason: str) -> None:
    value = evaluate(expression + ("" if expression.endswith("]") else "]"))
    assert isinstance(value, Unknown)
    assert reason in value.reason


def test_variables_that_need_each_other_end() -> None:
    value = evaluate("[variables('a')]", variables={"a": "[variables('b')]", "b": "[variables('a')]"})
    assert isinstance(value, Unknown)
    assert "itself" in value.reason


def test_a_template_that_multiplies_itself_ends() -> None:
    variables = {f"v{n}": f"[concat(variables('v{n + 1}'), variables('v{n + 1}'))]" for n in range(40)} | {
        "v40": "aaaa"
    }
    assert isinstance(evaluate("[variables('v0')]", variables=variables), Unknown)


def test_the_model_flag_is_true_false_absent_or_unknown() -> None:
    parameters = {"rbac": {"type": "bool"}, "free": {"type": "bool", "defaultValue": True}}
    resources = [
        vault("kv-1", enableRbacAuthorization=True),
        vault("kv-2", enableRbacAuthorization=False),
        vault("kv-3", enableRbacAuthorization=None),
        vault("kv-4"),
        vault("kv-5", enableRbacAuthorization="[parameters('rbac')]"),
        vault("kv-6", enableRbacAuthorization="[parameters('free')]"),
    ]
    found = read(template(parameters=parameters, resources=resources))
    flags = [item.rbac for item in found.vaults]
    assert flags[:4] == [True, False, None, None]
    assert isinstance(flags[4], Unknown)
    assert "rbac" in flags[4].reason
    assert flags[5] is True
    assert found.vaults[5].assumed == ("free",)
    assert found.vaults[4].rbac_at
    assert found.vaults[4].rbac_at.line > found.vaults[4].position.line
    given = read(template(parameters=parameters, resources=resources), RBAC=False, free=False)
    assert [item.rbac for item in given.vaults][4:] == [False, False]
    assert given.vaults[5].assumed == ()


def test_a_role_assignment_means_the_vault_that_it_is_scoped_to_though_nobody_knows_its_name() -> None:
    name = "[concat('kv-', uniqueString(resourceGroup().id))]"
    scope = f"[resourceId('Microsoft.KeyVault/vaults', {name[1:-1]})]"
    role = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "[guid('x')]",
        "scope": scope,
        "properties": {
            "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{USER}')]",
            "principalId": "[parameters('who')]",
        },
    }
    other = {**role, "scope": "[resourceId('Microsoft.KeyVault/vaults', 'kv-other')]"}
    child = {
        **role,
        "type": "Microsoft.KeyVault/vaults/providers/roleAssignments",
        "name": f"[concat({name[1:-1]}, '/Microsoft.Authorization/x')]",
    }
    del child["scope"]
    found = read(template(parameters={"who": {"type": "string"}}, resources=[vault(name), role, other, child]))
    identity = found.vaults[0].identity
    assert isinstance(found.vaults[0].name, Unknown)
    assert [item.scope_identity == identity for item in found.role_assignments] == [True, False, True]
    assert {item.role for item in found.role_assignments} == {USER}


def test_policies_in_the_vault_and_apart_from_it() -> None:
    entry = {
        "tenantId": "[subscription().tenantId]",
        "objectId": "22222222-2222-2222-2222-222222222222",
        "permissions": {"secrets": ["Get"], "keys": "[parameters('keys')]"},
    }
    apart = {
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "apiVersion": "2023-07-01",
        "name": "kv-contoso/add",
        "properties": {"accessPolicies": [entry]},
    }
    nested = {**vault(accessPolicies=[entry]), "resources": [{**apart, "type": "accessPolicies", "name": "replace"}]}
    found = read(template(parameters={"keys": {"type": "array"}}, resources=[nested, apart]))
    policies = found.vaults[0].access_policies
    assert isinstance(policies, tuple)
    assert policies[0].permissions["secrets"] == ("Get",)
    assert isinstance(policies[0].permissions["keys"], Unknown)
    assert [item.mode for item in found.policies] == ["replace", "add"]
    assert {item.vault_identity for item in found.policies} == {found.vaults[0].identity}


def test_loops_conditions_and_templates_inside_templates() -> None:
    inside = {
        "$schema": SCHEMA,
        "parameters": {"name": {"type": "string"}},
        "resources": [vault("[parameters('name')]")],
    }
    deployment = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "resourceGroup": "rg-inner",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"name": {"value": "[concat('kv', '-inner')]"}},
            "template": inside,
        },
    }
    linked = {
        **deployment,
        "name": "linked",
        "properties": {"mode": "Incremental", "templateLink": {"uri": "https://contoso.example/kv.json"}},
    }
    resources = [
        {**vault("[concat('kv-', copyIndex(1))]"), "copy": {"name": "vaults", "count": 2}},
        {**vault("kv-never"), "condition": False},
        {**vault("kv-maybe"), "condition": "[parameters('deploy')]"},
        deployment,
        linked,
    ]
    found = read(template(parameters={"deploy": {"type": "bool"}}, resources=resources))
    assert [item.name for item in found.vaults] == ["kv-1", "kv-2", "kv-maybe", "kv-inner"]
    assert found.vaults[2].condition
    assert found.vaults[3].resource_group == "rg-inner"
    assert "contoso.example" in found.undecided[0].reason


@pytest.mark.parametrize("scope", ["inner", "outer"])
def test_a_condition_of_a_deployment_is_one_of_everything_in_it(scope: str) -> None:
    grant = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "x",
        "properties": {"roleDefinitionId": "4633458b-17de-408a-b874-0445c86b69e6", "principalId": "x"},
    }
    innermost = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "innermost",
        "properties": {"template": {"$schema": SCHEMA, "resources": [grant]}},
    }
    deployment = {
        **innermost,
        "name": "inner",
        "condition": "[parameters('deploy')]",
        "properties": {
            "expressionEvaluationOptions": {"scope": scope},
            "template": {"$schema": SCHEMA, "resources": [vault("kv-maybe"), innermost]},
        },
    }
    source = template(parameters={"deploy": {"type": "bool"}}, resources=[vault("kv-always"), deployment])
    found = read(source)
    assert [bool(item.condition) for item in found.vaults] == [False, True]
    assert found.role_assignments[0].deployed_if
    assert read(source, deploy=True).vaults[1].condition is None
    assert len(read(source, deploy=False).vaults) == 1


def test_symbolic_names_and_existing_resources() -> None:
    found = read(
        template(
            languageVersion="2.0",
            resources={"kv": vault("kv-new"), "old": {**vault("kv-old"), "existing": True}},
        )
    )
    assert [item.name for item in found.vaults] == ["kv-new"]


def test_a_plain_secret_and_an_output_that_shows_one() -> None:
    secret = {
        "type": "Microsoft.KeyVault/vaults/secrets",
        "apiVersion": "2023-07-01",
        "name": "kv/db",
        "properties": {"value": "in the open"},
    }
    hidden = {**secret, "name": "kv/api", "properties": {"value": "[parameters('key')]"}}
    outputs = {
        "a": {"type": "string", "value": "[parameters('key')]"},
        "b": {"type": "string", "value": "[listKeys('x', '2023-01-01').key1]"},
        "c": {"type": "string", "value": "[resourceGroup().name]"},
    }
    found = read(template(parameters={"key": {"type": "secureString"}}, resources=[secret, hidden], outputs=outputs))
    assert [(item.name, item.is_plain) for item in found.secrets] == [("db", True), ("api", False)]
    assert [item.name for item in found.outputs] == ["a", "b"]


def test_json_with_comments_long_strings_and_commas_keeps_its_places() -> None:
    text = '\ufeff{ // head\n "a": "one\ntwo", /* x\n */ "b": [1, 2,],\n "a": null }'
    document = parse_json(text, "t.json")
    assert document.root.plain() == {"a": None, "b": [1, 2]}
    second = document.root.get("B")
    assert second is not None
    assert (second.line, second.column) == (4, 10)
    assert [line for line, _, _ in document.remarks] == [4]
    assert [line for line, _, _ in document.twice] == [5]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a" 1}', "1:6"),
        ('{"a": ', "1:7"),
        ('{"a": "x', "1:7"),
        ("[1 2]", "1:4"),
        ("{} x", "1:4"),
        ("/* x", "1:1"),
        ("nul", "1:1"),
    ],
)
def test_broken_json_says_where(text: str, place: str) -> None:
    with pytest.raises(JsonSourceError, match=f"t:{place}"):
        parse_json(text, "t")


def test_nesting_is_bounded() -> None:
    with pytest.raises(JsonSourceError, match="nested deeper"):
        parse_json("[" * 100_000, "t")
    assert isinstance(evaluate("[" + "not(" * 5000 + "true()" + ")" * 5000 + "]"), Unknown)


def test_encodings_that_editors_leave_behind(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert decode('{"ä": 1}\r\n'.encode(encoding), "t") == '{"ä": 1}\n'
    for data in (b"\x89PNG\x00", b"\xff\xfe\x00", b"caf\xe9"):
        with pytest.raises(UnreadableFileError):
            decode(data, "t")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    with pytest.raises(UnreadableFileError, match="MB"):
        read_text(large)


@given(st.text(alphabet=st.sampled_from("[]()'.,?abc019 concatparameters"), max_size=60))
def test_any_text_is_an_expression_or_unknown(text: str) -> None:
    value = evaluate(f"[{text}]")
    assert isinstance(value, Unknown | str | int | list | dict | bool | None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["[parameters('a')]", "Microsoft.KeyVault/vaults", "x", "[concat(1)]"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["type", "name", "properties", "resources", "copy", "count", "template", "scope", "accessPolicies", "permissions"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(JSON, JSON)
def test_any_json_is_borne(resources: Any, parameters: Any) -> None:
    read(json.dumps({"resources": resources, "parameters": parameters, "variables": resources, "outputs": parameters}))


def test_real_templates_are_read(corpus: Path) -> None:
    """Every ARM file of the corpus: nothing crashes, and nearly every vault has a flag and a version."""
    total = decided = 0
    for path in sorted((corpus / "templates").rglob("*.json")):
        try:
            root = parse_json(read_text(path), path.name).root
        except JsonSourceError:
            continue
        if is_parameters(root) or not is_template(root):
            continue
        for item in read_arm(read_text(path), path.name).vaults:
            total += 1
            decided += not isinstance(item.rbac, Unknown) and isinstance(item.api_version, str)
    print(f"{decided} of {total} vault declarations in ARM JSON have a decided flag and version")
    assert total > 40
    assert decided >= 0.85 * total


@pytest.mark.parametrize("mark", ["#{name}#", "$(Name)", "${NAME}", "__name__", "{{name}}", "<name>", "GEN-UNIQUE"])
def test_a_mark_that_a_pipeline_replaces_is_unknown(mark: str) -> None:
    text = json.dumps({"$schema": "deploymentParameters.json#", "parameters": {"a": {"value": mark}}})
    assert "mark" in parameter_values(parse_json(text, "p.json").root)["a"].reason


def test_null_in_a_parameter_file_is_no_value() -> None:
    text = json.dumps(
        {"$schema": "deploymentParameters.json#", "parameters": {"a": {"value": None}, "b": {"value": 1}}}
    )
    assert parameter_values(parse_json(text, "p.json").root) == {"b": 1}


def test_parameter_files() -> None:
    text = '{"$schema": "x/deploymentParameters.json#", "parameters": {"a": {"value": 1}, "b": {"reference": {"secretName": "s"}}}}'
    root = parse_json(text, "t").root
    values = parameter_values(root)
    assert is_parameters(root)
    assert values["a"] == 1
    assert unknown_in(values["b"])
    assert Node(None, 1, 1).get("x") is None
