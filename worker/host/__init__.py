"""The first process of `parley worker`: it supervises the others, salvages their spools, sweeps, and serves its health.

It never loads LiveKit.
"""
