"""What a session can be, what moves it on, and what entering each state means: tables, and no I/O.

`store.lifecycle` moves the rows along them.
"""
