"""From segments to the product: one pass over a plan writes the WAV file, its document and its waveform.

It decides nothing: the plan, frozen before, says what belongs into the file.
"""
