"""Rows of files and what the tables of this plugin keep of them: fields, checks, stories."""
