"""The commands of the group `push`."""
