"""Text of a tenant as a literal of a language: nothing in it is expanded, run, or ends the literal."""

import re
import shlex

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def shell(*words: str) -> str:
    """A command line for a POSIX shell, every word quoted."""
    return shlex.join(words)


def shell_command(*words: str, **options: str) -> str:
    """One command: words, then options (`resource_group="rg"` becomes `--resource-group rg`), each quoted.

    A value that begins with a dash is bound to its option, so that the program cannot take it for another option.
    """
    line = list(words)
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        line.extend([f"{option}={value}"] if value.startswith("-") else [option, value])
    return shlex.join(line)


def bicep(text: str) -> str:
    """A single-quoted string of Bicep. Source: Microsoft's Bicep documentation, data types, "Strings"."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return f"'{_CONTROL.sub(_bicep_character, escaped)}'"


def hcl(text: str) -> str:
    """A quoted string of HCL. Source: Terraform's documentation, "Strings and Templates", escape sequences."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return '"' + _CONTROL.sub(lambda found: rf"\u{ord(found[0]):04x}", escaped) + '"'


def hcl_name(text: str) -> str:
    """A name for a block of HCL that resembles a text: letters, digits and underscores, begins with a letter."""
    name = re.sub(r"[^a-z0-9]+", "_", text.casefold().encode("ascii", "ignore").decode()).strip("_")
    return name if name[:1].isalpha() else f"r_{name}".rstrip("_")


def one_line(text: str) -> str:
    """A text for a comment: control characters, line ends and marks that turn the direction become spaces."""
    return _CONTROL.sub(" ", text)


def _bicep_character(found: re.Match[str]) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(found[0], f"\\u{{{ord(found[0]):x}}}")
