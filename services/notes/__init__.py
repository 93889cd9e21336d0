"""Notes about companies: what their texts mean, and writing them."""
