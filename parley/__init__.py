"""The command line, and the only place that wires the other packages together.

Besides the commands it holds what belongs to one machine rather than to the service: the embedded PostgreSQL, the
launcher of a LiveKit server, children that die with their parent, and the demo.
"""
