"""Commands of the group `customers`, a module each."""
