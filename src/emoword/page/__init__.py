"""The page that opens from disk."""
