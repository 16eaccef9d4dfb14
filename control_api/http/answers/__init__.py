"""What answers are made of: strict models, pages, error bodies and their dialects, request ids, entity tags.

It reads no request.
"""
