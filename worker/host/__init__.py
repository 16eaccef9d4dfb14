"""The first process of `parley worker`: it supervises the others, salvages, sweeps and tells how it is.

It never loads LiveKit.
"""
