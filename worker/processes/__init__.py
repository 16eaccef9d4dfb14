"""The children of a worker, a module each: recorder, jobs, speech; what each opens and how it stops.

This package imports nothing by itself: signals are blocked before LiveKit is loaded.
"""
