"""The work flow of tickets: a table of transitions, and what carries it out."""
