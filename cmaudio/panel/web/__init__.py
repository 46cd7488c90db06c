"""The process that serves the page: access control, the routes, and the page itself."""
