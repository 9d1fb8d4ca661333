"""What can be read, and how each raw item becomes a frozen record. Pure: no client, no clock."""
