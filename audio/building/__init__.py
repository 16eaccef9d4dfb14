"""From segments to the product: one pass over a plan writes the WAV file, its document and its waveform.

It decides nothing: what belongs into the file is frozen in the plan before.
"""
