"""HTTP itself, whatever is served: from the socket down to the answer. It knows no thing that is served."""
