"""Benchmarks: `python -m bench` prints tables of figures and ratios, and whether goals are met.

The goals stand in the modules of `bench.benchmarks`. What runs on this machine is measured, and nothing is asserted:
figures of a busy machine are no test results. Each table says what was counted and how busy the machine was.
"""
