"""Quality: which causes cost most, and which cells have more tickets than is to be expected."""
