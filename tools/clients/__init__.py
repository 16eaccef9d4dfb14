"""Other people's makers of clients, run on our OpenAPI document. Not: clients that we ship."""
