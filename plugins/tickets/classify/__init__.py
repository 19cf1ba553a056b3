"""Quality classes of tickets, from their texts, codes and numbers."""
