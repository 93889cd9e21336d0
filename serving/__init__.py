"""Serves HTTP on an event loop: a request takes a thread only once its body is complete."""
