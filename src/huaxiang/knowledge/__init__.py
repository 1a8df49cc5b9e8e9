"""What a shop knows of its goods beyond one item at a time."""
