"""What the spool and the object storage hold: records of samples with their positions, and how a set of them is read.

It knows no files and no sessions: bytes and positions in, bytes and positions out.
"""
