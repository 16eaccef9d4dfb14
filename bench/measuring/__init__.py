"""How something is measured and shown: how busy the machine is, process trees, medians, tables."""
