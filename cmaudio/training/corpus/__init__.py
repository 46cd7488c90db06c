"""Reading a prepared corpus."""
