"""From each participant's own track to text: a voice gate, and engines behind one small port.

It runs in the speech process only (`worker.processes.speech_process`), which has no other work. What needs an optional
library imports it when it is opened, and says which extra brings it.
"""
