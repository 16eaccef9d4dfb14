"""The benchmarks themselves, a module each with a function `bench_NAME` that takes the options."""
