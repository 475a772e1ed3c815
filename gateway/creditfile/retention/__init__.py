"""Retention: bad information whose time is over is deleted in every version, and that is proved.

`proof` is pure; `due` finds what is over; `deleting` deletes a little at a time; `daily` sees to it
that each day's work is done once.
"""
