"""Benchmarks: `python -m bench` prints tables of figures and ratios, and whether the project's goals are met.

It measures what runs on this machine now and asserts nothing: figures of a busy machine are no test results. Each
table says what was counted and how busy the machine was.
"""
