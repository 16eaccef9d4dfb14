"""How something is measured and shown: busy machines, process trees, medians and tables."""
