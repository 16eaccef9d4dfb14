"""Sessions over HTTP in the canonical style: create, list, read, edit, erase, and the commands to them.

`operations` and `command_operations` are the rows of the table, the `…_routes` answer them, and `bodies` has what
clients send and get. Sessions are stored and moved by `store`.
"""
