"""Request handling shared by all pages: context, addresses, forms, errors, headers."""
