"""What turns samples into words: engines behind one small port, the choice among them, and models out of wheels.

An engine knows utterances only. What needs an optional library imports it when it is opened, and says which extra
brings it.
"""
