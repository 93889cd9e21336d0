"""Demo data: invented customers, and the story that `brazebee demo` plays."""
