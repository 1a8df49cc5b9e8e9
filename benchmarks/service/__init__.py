"""A load generator and a served shop, for the benchmarks of the service."""
