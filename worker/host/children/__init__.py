"""A host's processes as its supervisor has them: a child, what watches and replaces it, the lists of those that run.

When there must be one, and for whom, is decided elsewhere.
"""
