"""From segments to the product: one pass over a plan writes the WAV file (`build`).

`recording_document` describes the file that was built, and `waveform` draws it for a terminal. Nothing is decided here:
the plan, frozen before, says what belongs into the file.
"""
