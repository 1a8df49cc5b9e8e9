"""What answers a query: searching the shop's items."""
