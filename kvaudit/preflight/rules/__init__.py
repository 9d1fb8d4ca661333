"""One file per rule over templates, scripts and dependency files. The module's docstring is the documentation page."""
