"""The panel: a page in the browser that plays and shapes an instrument. Its server is a separate process."""
