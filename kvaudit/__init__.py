"""kvaudit: for every Azure Key Vault of a tenant, who can do what, and the proof."""

__version__ = "0.1.0"
