"""The endpoints, one file for each noun: events, items, shoppers, lists, privacy, models, operations."""
