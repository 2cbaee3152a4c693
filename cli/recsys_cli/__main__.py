"""``python -m recsys_cli``."""

from recsys_cli.entry import main

main()
