"""Keeps records on disk until they are sent, over the end of a process however it comes.

Each process appends to segments in a directory of its own below the spool directory. It holds a
lock on that directory for as long as it lives. Whoever obtains the lock of another directory knows
that its owner is gone, and sends what it left.
"""
