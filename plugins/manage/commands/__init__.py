"""The commands of the group `plugins`."""
