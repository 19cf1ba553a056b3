"""The program `crm`: global options, the tree of commands, exit codes."""
