"""Asks vaults what the current identity may do, by calls that change nothing and read no value.

Order: reachability first (name, connection, TLS, `/healthstatus`), then whose tenant the vault trusts, then one call per
operation: lists, and reads of names that cannot exist. Facts azure.md 6.1 and 6.2 say why their answers decide.
"""
