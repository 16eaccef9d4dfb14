"""What answers are made of: strict models, pages, error bodies (a form per style), request ids, entity tags.

It reads no request.
"""
