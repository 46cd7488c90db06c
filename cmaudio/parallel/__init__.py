"""Many pieces of work at once: in this process, in processes of this machine, or on a cluster."""
