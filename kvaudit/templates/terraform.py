"""Terraform modules: what the files of a folder, and the local modules that it calls, declare."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kvaudit.errors import UsageError
from kvaudit.sources.located import Position
from kvaudit.sources.reading import read_text
from kvaudit.templates.declarations import (
    DependencyPin,
    FileDeclarations,
    Language,
    SecureValue,
    Undecided,
    VaultDeclaration,
)
from kvaudit.templates.hcl import parse_hcl
from kvaudit.templates.hcl_tree import Block
from kvaudit.templates.plain_secrets import is_plain_text
from kvaudit.templates.terraform_resources import Declared, declare, is_left_out, perhaps_left_out
from kvaudit.templates.terraform_values import ModuleValues
from kvaudit.templates.unknown import Unknown
from kvaudit.templates.versions import highest

DEEPEST_MODULE = 8
"""Modules inside modules."""

MOST_MODULES = 500
"""Calls of modules that are followed from one folder."""


@dataclass(frozen=True, slots=True)
class TerraformFolder:
    """The files of one folder, parsed.

    Attributes:
        path: of the folder.
        blocks: top-level blocks with the file that each stands in.
        values: of `terraform.tfvars` and `*.auto.tfvars`.
        locked: version of the azurerm provider in `.terraform.lock.hcl`, or None.
        locked_at: where that stands.
        problems: files that could not be read, one message each.
        lines: text of each file.
    """

    path: Path
    blocks: tuple[tuple[str, Block], ...]
    values: Mapping[str, Any]
    locked: str | None
    problems: tuple[UsageError, ...]
    lines: Mapping[str, tuple[str, ...]]
    locked_at: Position | None = None


def read_folder(path: Path, shown: Callable[[Path], str] = str) -> TerraformFolder:
    """Parses every `.tf` file of a folder. A file that cannot be read is a problem; the rest is read.

    Args:
        path: of the folder.
        shown: how a path is named in messages and places.
    """
    blocks: list[tuple[str, Block]] = []
    values: dict[str, Any] = {}
    problems: list[UsageError] = []
    lines: dict[str, tuple[str, ...]] = {}
    locked = locked_at = None
    for file in sorted(path.iterdir()):
        if file.exists() and not file.is_file():  # a folder, or a pipe that would be waited for without end
            continue
        is_values = file.name == "terraform.tfvars" or file.name.endswith(".auto.tfvars")
        if not (is_configuration(file) or is_values or file.name == ".terraform.lock.hcl"):
            continue
        try:
            text = read_text(file)
            root = parse_hcl(text, shown(file))
        except UsageError as problem:
            problems.append(problem)
            continue
        if is_values:
            evaluator = ModuleValues([], {})
            values.update({name: evaluator.value(item.expression) for name, item in root.arguments.items()})
        elif file.name == ".terraform.lock.hcl":
            locked, locked_at = _locked(root, shown(file))
        else:
            lines[shown(file)] = tuple(text.split("\n"))
            blocks.extend((shown(file), block) for block in root.blocks)
    return TerraformFolder(path, tuple(blocks), values, locked, tuple(problems), lines, locked_at)


def is_configuration(file: Path) -> bool:
    """Whether a file holds configuration. Of `main.tf` beside `main.tofu`, Terraform and this read the first."""
    return file.suffix == ".tf" or (file.suffix == ".tofu" and not file.with_suffix(".tf").exists())


def local_calls(folder: TerraformFolder) -> Iterator[tuple[Block, Path]]:
    """The modules that a folder calls by a path of its own: the call, and the folder that it means."""
    for _, block in folder.blocks:
        source = _source(block) if block.type == "module" else None
        if source is not None and source.startswith(("./", "../")):
            yield block, (folder.path / source).resolve()


def read_terraform(
    folder: TerraformFolder, find: Callable[[Path], TerraformFolder | None], given: Mapping[str, Any] | None = None
) -> FileDeclarations:
    """What a root module declares, with the local modules that it calls.

    Args:
        folder: the root module.
        find: the parsed folder of a resolved path, or None when it is not there.
        given: variable values beside those of the folder's own files.
    """
    reading = _Reading(find, _constraint(folder), folder.locked)
    reading.module(folder, {**folder.values, **(given or {})}, "", ())
    return FileDeclarations(
        files=tuple(sorted(reading.lines)),
        language=Language.TERRAFORM,
        vaults=tuple(item for item in reading.found.vaults),
        policies=tuple(reading.found.policies),
        role_assignments=tuple(reading.found.role_assignments),
        secrets=tuple(reading.found.secrets),
        secure_values=tuple(dict.fromkeys(reading.secure_values)),
        undecided=tuple(reading.undecided),
        lines=reading.lines,
    )


@dataclass(slots=True)
class _Reading:
    find: Callable[[Path], TerraformFolder | None]
    constraint: str | None
    locked: str | None
    found: Declared = field(default_factory=Declared)
    secure_values: list[SecureValue] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    calls: int = 0

    def module(
        self,
        folder: TerraformFolder,
        given: Mapping[str, Any],
        prefix: str,
        above: tuple[Path, ...],
        condition: str | None = None,
    ) -> None:
        self.lines.update(folder.lines)
        blocks = [block for _, block in folder.blocks]
        values = ModuleValues(blocks, given, prefix=prefix)
        known = {name: value for name, value in given.items() if not isinstance(value, Unknown)}
        symbols = ModuleValues(blocks, known, symbolic=True, prefix=prefix)
        version = self.locked or self.constraint or _constraint(folder)
        for file, block in folder.blocks:
            if block.type == "resource" and len(block.labels) == 2:
                declare(
                    self.found,
                    block,
                    file,
                    values,
                    symbols,
                    prefix=prefix,
                    provider_version=version,
                    condition=condition,
                )
            elif block.type == "variable" and block.labels:
                self._variable(file, block, values)
            elif block.type == "module" and block.labels and not is_left_out(block, values):
                self._call(folder, file, block, values, prefix, above, perhaps_left_out(block, values) or condition)

    def _variable(self, file: str, block: Block, values: ModuleValues) -> None:
        if values.of(block, "sensitive") is True and is_plain_text(values.of(block, "default")):
            at = Position(file, block.line, block.column)
            why = "the default of a sensitive variable is a plain text"
            self.secure_values.append(SecureValue(Language.TERRAFORM, block.labels[0], at, why))

    def _call(
        self,
        folder: TerraformFolder,
        file: str,
        block: Block,
        values: ModuleValues,
        prefix: str,
        above: tuple[Path, ...],
        condition: str | None,
    ) -> None:
        source = _source(block) or ""
        at = Position(file, block.line, block.column)
        address = f"{prefix}module.{block.labels[0]}"
        if not source.startswith(("./", "../")):
            self._published(block, at, address, source, values, condition)
            return
        path = (folder.path / source).resolve()
        inner = self.find(path)
        self.calls += 1
        if path in above or len(above) >= DEEPEST_MODULE or self.calls > MOST_MODULES:
            self.undecided.append(Undecided(at, f"{address} calls itself, or modules too deep inside each other"))
        elif inner is None:
            self.undecided.append(Undecided(at, f"{address}: there is no folder {source}"))
        else:
            given = {name: values.of(block, name) for name in block.arguments if name not in _META}
            # null means "as if it were left out": the default of the variable counts.
            given = {name: value for name, value in given.items() if value is not None}
            self.module(inner, given, f"{address}.", (*above, folder.path.resolve()), condition)

    def _published(
        self, block: Block, at: Position, address: str, source: str, values: ModuleValues, condition: str | None
    ) -> None:
        """A module from a registry or repository. One that makes vaults is a vault whose settings it decides."""
        self.undecided.append(Undecided(at, f"{address}: the module {source[:120]} is not in these files"))
        if not _makes_vaults(source):
            return
        name = values.of(block, "name")
        reason = Unknown(f"the module {source[:120]} decides the permission model")
        self.found.vaults.append(
            VaultDeclaration(
                language=Language.TERRAFORM,
                address=address,
                identity=address.casefold(),
                position=at,
                name=name if isinstance(name, str) else Unknown("the module names the vault"),
                rbac=_flag(block, values, source, reason),
                rbac_at=at,
                module=source,
                provider_version=self.locked or self.constraint,
                condition=condition,
            )
        )


_META = frozenset({"source", "version", "count", "for_each", "providers", "depends_on"})

_AVM = "avm-res-keyvault-vault"


def _makes_vaults(source: str) -> bool:
    folded = source.casefold()
    return any(word in folded for word in (_AVM, "key-vault", "keyvault", "key_vault"))


def _flag(block: Block, values: ModuleValues, source: str, reason: Unknown) -> bool | Unknown:
    """What is known of a published module's model: the name of the argument says it where it is given."""
    if _AVM in source.casefold():
        # Azure Verified Module for Terraform: access policies only with `legacy_access_policies_enabled = true`.
        legacy = values.of(block, "legacy_access_policies_enabled")
        return Unknown(legacy.reason) if isinstance(legacy, Unknown) else legacy is not True
    for name in ("rbac_authorization_enabled", "enable_rbac_authorization"):
        value = values.of(block, name)
        if isinstance(value, bool | Unknown):
            return value
    return reason


def _source(block: Block) -> str | None:
    argument = block.arguments.get("source")
    value = getattr(argument.expression, "value", None) if argument else None
    return value if isinstance(value, str) else None


def provider_pin(folder: TerraformFolder) -> DependencyPin | None:
    """The version of azurerm that a folder asks for: of its lock file, else what `required_providers` lets in."""
    if folder.locked is not None and folder.locked_at is not None:
        return DependencyPin(folder.locked_at, "terraform", "hashicorp/azurerm", folder.locked, folder.locked)
    found = _required(folder)
    if found is None:
        return None
    version, at = found
    end = highest(version, "terraform")
    return DependencyPin(at, "terraform", "hashicorp/azurerm", version, end.version, end.is_below)


def _constraint(folder: TerraformFolder) -> str | None:
    """What `required_providers` asks of azurerm, or None."""
    found = _required(folder)
    return found[0] if found else None


def _required(folder: TerraformFolder) -> tuple[str, Position] | None:
    evaluator = ModuleValues([], {})
    for file, block in folder.blocks:
        if block.type != "terraform":
            continue
        for providers in block.of_type("required_providers"):
            value = evaluator.of(providers, "azurerm")
            version = value.get("version") if isinstance(value, dict) else value
            if isinstance(version, str):
                argument = providers.arguments["azurerm"]
                return version, Position(file, argument.line, argument.column)
    return None


def _locked(root: Block, file: str) -> tuple[str | None, Position | None]:
    for block in root.of_type("provider"):
        if block.labels and block.labels[0].casefold().endswith("hashicorp/azurerm"):
            version = ModuleValues([], {}).of(block, "version")
            at = block.arguments.get("version")
            if isinstance(version, str) and at is not None:
                return version, Position(file, at.line, at.column)
    return None, None
