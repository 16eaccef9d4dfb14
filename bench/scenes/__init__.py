"""What the benchmarks measure in: databases with many rows, rooms with talkers, spools, and Parley's own processes."""
