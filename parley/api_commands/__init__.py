"""Commands of customers: they need nothing but the API's URL and a key."""
