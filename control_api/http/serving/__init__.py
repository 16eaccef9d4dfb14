"""The way of a request through the server: protocol, boundary, admission, route; and whether the server is ready."""
