"""Command lines: what commands there are and what they take. A command's own module loads when it runs."""
