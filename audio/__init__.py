"""The signal side of Parley: where samples lie, how they are kept, how they become one file.

It is: numpy DSP on 48 kHz int16, the spool's record format, and the build of the product from a frozen plan. Values
in, values out; time arrives as sample positions on the session's clock.

It is not: a reader of clocks, sockets or rooms, a writer of spools (the worker does the system calls), or a place that
knows sessions. It imports the standard library, numpy, soundfile and soxr, nothing else.

Read `placing.timeline` (frames to positions; `placing.playout` for frames that come ahead of their time), then
`segments.segments` and `segments.segment_key` (positions to bytes), then `building.build` (bytes to WAV).

`track_audio` and `voice_activity` give speech recognition one track at a time.
"""
