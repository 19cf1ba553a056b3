"""The commands of the group `catalog`."""
