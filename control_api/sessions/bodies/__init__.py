"""What clients send about sessions and what they get: models, the presenter that fills them, and examples of both."""
