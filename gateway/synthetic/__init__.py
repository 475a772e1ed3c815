"""Synthetic data and the demo: a made-up province of enterprises with credit files.

`generator` makes it, `files` and `load` write it to files and into a database; `demo` serves it, and `tour`
acts out each kind of user once.
"""
