"""Sessions over HTTP in the canonical style: create, list, read, edit, erase, and the commands to them.

`operations` and `command_operations` are the rows of the table; the `…_routes` answer them; `request_models` is what
clients send and `resource_models` what they get, made by `presenter`. Sessions are stored and moved by `store`.
"""
