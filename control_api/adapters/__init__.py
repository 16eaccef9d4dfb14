"""The reference documents' dialects over the canonical services: names, envelopes and verbs, and nothing of their own.

Each adapter is its operations, its routes, its models and, where it has one, its form of errors.
"""
