"""Programs that the benchmarks run as processes of their own, so that their CPU and memory can be told apart."""
