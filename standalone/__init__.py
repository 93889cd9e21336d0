"""Running everything on one machine: embedded servers, and the processes beside them."""
