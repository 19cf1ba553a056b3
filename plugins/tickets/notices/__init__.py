"""What customers are told: how a repair was, when their vehicle is due for maintenance, where their ticket is."""
