"""What every answer is made of: the envelope, dialects of errors, strict models, request ids, entity tags."""
