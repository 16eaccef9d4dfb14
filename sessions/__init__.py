"""The domain of Parley: ids, states, codes, errors, usage arithmetic, redaction, and what a token or an address may be.

It is values in, values out: nothing here opens a socket or a file, or reads a clock; `now` comes in as an argument.
It is not where sessions are stored (`store`), served (`control_api`) or recorded (`worker`).
"""
