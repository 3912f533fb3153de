"""The page and its parts: what it says, its pictures and tables, and its template, style and script."""
