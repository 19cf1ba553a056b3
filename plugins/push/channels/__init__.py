"""The built-in channels, one module each."""
