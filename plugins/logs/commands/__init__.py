"""Commands of the group `logs`, a module each."""
