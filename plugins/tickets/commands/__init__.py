"""The commands of the groups `tickets` and `centre`."""
