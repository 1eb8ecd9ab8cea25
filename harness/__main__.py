"""`python -m harness` is the `tracktwo` command."""

from harness.cli import main

main()
