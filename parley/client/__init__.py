"""A client of the HTTP API: a URL and a key, requests that are repeated when that is safe, errors in sentences.

It knows neither the database nor the server's code, so it works against any installation, on any machine.
"""
