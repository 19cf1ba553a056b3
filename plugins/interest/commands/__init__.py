"""The commands of the group `interest`."""
