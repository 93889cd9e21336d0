"""Work items: opened and closed by evaluations, and changed by people."""
