"""``python -m recsys_cli``."""

from recsys_cli.main import main

main()
