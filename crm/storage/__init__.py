"""How records are kept: by SQLite in a file, or by PostgreSQL for a team. `crm/records.py` is the way in."""
