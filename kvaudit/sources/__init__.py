"""Text files into values with the place at which each stands: encodings, JSON, YAML."""
