"""Judges what has not been deployed yet: templates, scripts, dependency files and contracts."""
