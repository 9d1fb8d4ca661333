"""One module per command; `command` is its click command."""
