"""From each participant's own track to text: a voice gate, utterances, and the jobs that write transcripts.

It runs in the speech process only (`worker.processes.speech_process`), which has no other work.
"""
