"""A year of a made-up maker's service centre: what `generate_tickets.py` puts together."""
