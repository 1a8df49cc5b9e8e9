"""TODO stage paragraph."""
