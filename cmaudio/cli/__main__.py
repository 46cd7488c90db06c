"""`python -m cmaudio.cli` runs the `cmaudio` command, for launchers that take a module (torchrun)."""

from cmaudio.cli.main import main

main()
