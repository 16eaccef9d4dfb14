"""An organization's log of events: appended in the transactions that make them happen, numbered when these have
committed, read in that order by every way out. It knows no session's rules.
"""
