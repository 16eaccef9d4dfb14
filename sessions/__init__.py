"""The domain of Parley: ids, states, codes, errors, settings, usage arithmetic, texts, what a token or URL may be.

It is values in, values out: nothing here opens a socket or a file, or reads a clock; `now` comes in as an argument.
(The one exception is `ids.new_uuid`: a new id holds the millisecond in which it was made.)
It is not where sessions are stored (`store`), served (`control_api`) or recorded (`worker`).
"""
