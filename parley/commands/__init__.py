"""The commands of `parley`, a module each: they wire the installation together and run it. They hold no rules."""
