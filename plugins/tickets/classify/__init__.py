"""Quality classes of tickets: learnt from what persons have said, told by models, doubtful ones back to persons."""
