"""The children of a worker, a module each: recorder, guard, jobs, speech, webhooks; what each opens and how it stops.

Nothing is imported here: a command blocks signals before it imports the module that loads LiveKit.
"""
