"""Arguments, streams and exit codes: the command line of ARCHITECTURE.md.

Start-up is a feature, completion runs the program on every TAB: nothing here imports azure, pydantic, jinja2,
pyroaring or rich at module level, and a command's module is imported only when it is called (`root.LazyGroup`).
"""

from kvaudit.cli.entry import main

__all__ = ["main"]
