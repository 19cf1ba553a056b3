"""Commands of the group `backup`."""
