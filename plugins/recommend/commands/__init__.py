"""The commands of the group `recommend`."""
