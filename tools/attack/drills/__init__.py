"""Drills that attack a stack as somebody would who means harm, a module each; `python -m tools.attack` runs them."""
