"""What workloads need: declared in contracts, or read from application code."""
