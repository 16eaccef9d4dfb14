"""The commands of `parley`, a module each: they wire an installation together and run it. They hold no rules."""
