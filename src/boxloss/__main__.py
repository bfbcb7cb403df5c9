"""`python -m boxloss` is the command `boxloss`."""

from boxloss.cli import main

main()
