"""Who may do what: keys that programs and people show, kept as hashes in the database."""
