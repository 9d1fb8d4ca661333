"""Frozen records in Azure's words, and the catalogue of permission words and roles.

Nothing here reads a file of the tenant, opens a connection or decides access.
"""
