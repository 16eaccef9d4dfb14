"""From a room's frames to placed records in the spool: recorder, concealed losses, played streams, the sine.

It joins nothing and ends nothing: a run does.
"""
