"""`parley recorder`: one recorder process, a child of `parley worker`.

The signals are blocked before anything loads LiveKit, whose threads inherit the mask: only so the process can tell a
stop that somebody asked for from the one that the native library sends to itself.
"""

import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
