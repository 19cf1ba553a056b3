"""Commands of the group `paths`, a module each."""
