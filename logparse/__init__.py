"""The log engine: bytes -> lines -> hits -> sessions, in Polars, usable alone in a notebook."""
