"""What the benchmarks measure in: databases with many rows, rooms with talkers, spools, Parley's own processes."""
