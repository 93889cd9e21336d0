"""What the product does, for every entry point: without HTTP, queues or the command line."""
