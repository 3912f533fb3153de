"""The parts of the page: what it shows, its pictures and tables, and its template, style and script."""
