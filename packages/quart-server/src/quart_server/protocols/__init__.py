"""Sans-IO protocol classes: bytes in, events out."""
