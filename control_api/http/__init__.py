"""HTTP itself, the same for everything that is served: from the connection down to the answer.

It imports none of the rooms that serve something: those hand it rows of the table of operations.
"""
