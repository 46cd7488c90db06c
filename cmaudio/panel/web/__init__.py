"""The process that serves the page: the guard at its door, the routes, and the page itself."""
