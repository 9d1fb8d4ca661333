"""Needs read from application code and its configuration, each with where it stands and how sure that is."""
