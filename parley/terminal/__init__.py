"""How commands print: lines that people read, JSON that programs read."""
