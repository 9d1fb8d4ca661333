"""The `configuration` of a Terraform plan: what a resource says in its files, and which resources its arguments mean."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kvaudit.sources.located import Node

DEEPEST_REFERENCE = 10
"""Steps from an argument through variables and outputs of modules to a resource."""

_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_MODULE = re.compile(r"module\.([\w-]+)\.")


def without_index(address: str) -> str:
    """An address without the keys of `count` and `for_each`: `module.a["x"].t.n[0]` -> `module.a.t.n`."""
    return _INDEX.sub("", address)


@dataclass(frozen=True, slots=True)
class PlanConfiguration:
    """The parsed files that a plan carries with it.

    Attributes:
        azurerm: constraint on the provider's version, or None.
        root: the root module, plain values.
    """

    azurerm: str | None = None
    root: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(plan: Node) -> "PlanConfiguration":
        """Of a plan; empty where the plan holds none."""
        configuration = plan.get("configuration")
        plain = configuration.plain() if configuration is not None else {}
        if not isinstance(plain, dict):
            return PlanConfiguration()
        return PlanConfiguration(_constraint(plain), _table(plain.get("root_module")))

    def written(self, address: str) -> frozenset[str] | None:
        """The arguments and blocks that the files give a resource; None where the plan does not hold its files."""
        expressions = self._expressions(address)
        return None if expressions is None else frozenset(expressions)

    def is_constant(self, address: str, argument: str) -> bool:
        """Whether an argument stands in the files as a plain value."""
        expression = (self._expressions(address) or {}).get(argument)
        return isinstance(expression, dict) and expression.get("constant_value") not in (None, "")

    def targets(self, address: str, argument: str) -> Iterator[str]:
        """Addresses of the resources that an argument may mean, the nearest first."""
        expression = (self._expressions(address) or {}).get(argument)
        yield from self._resolved(_modules(address), expression, DEEPEST_REFERENCE)

    def _expressions(self, address: str) -> Mapping[str, Any] | None:
        plain = without_index(address)
        path = _modules(plain)
        module = self._module(path)
        local = plain[len(_prefix(path)) :]
        for resource in _list(module.get("resources")) if module is not None else ():
            if isinstance(resource, dict) and resource.get("address") == local:
                return _table(resource.get("expressions"))
        return None

    def _module(self, path: tuple[str, ...]) -> Mapping[str, Any] | None:
        module = self.root
        for name in path:
            call = _table(module.get("module_calls")).get(name)
            if not isinstance(call, dict):
                return None
            module = _table(call.get("module"))
        return module

    def _resolved(self, path: tuple[str, ...], expression: Any, steps: int) -> Iterator[str]:
        references = _list(_table(expression).get("references"))
        for reference in references[:20]:
            if isinstance(reference, str) and steps > 0:
                yield from self._reference(path, reference, steps - 1)

    def _reference(self, path: tuple[str, ...], reference: str, steps: int) -> Iterator[str]:
        parts = without_index(reference).split(".")
        if parts[0] == "var" and len(parts) > 1 and path:
            above = self._module(path[:-1])
            call = _table(_table(above or {}).get("module_calls")).get(path[-1])
            expressions = _table(_table(call).get("expressions"))
            yield from self._resolved(path[:-1], expressions.get(parts[1]), steps)
        elif parts[0] == "module" and len(parts) > 2:
            inner = (*path, parts[1])
            output = _table(_table(self._module(inner) or {}).get("outputs")).get(parts[2])
            yield from self._resolved(inner, _table(output).get("expression"), steps)
        elif parts[0] in ("azurerm_key_vault", "azapi_resource") and len(parts) > 1:
            found = _INDEX.search(reference)
            yield f"{_prefix(path)}{parts[0]}.{parts[1]}{found[0] if found else ''}"


def _modules(address: str) -> tuple[str, ...]:
    return tuple(_MODULE.findall(without_index(address)))


def _prefix(path: tuple[str, ...]) -> str:
    return "".join(f"module.{name}." for name in path)


def _constraint(configuration: Mapping[str, Any]) -> str | None:
    for provider in _table(configuration.get("provider_config")).values():
        named = _table(provider)
        is_azurerm = named.get("name") == "azurerm" or str(named.get("full_name", "")).endswith("hashicorp/azurerm")
        version = named.get("version_constraint")
        if is_azurerm and isinstance(version, str):
            return version
    return None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
