"""``python -m emoword`` is ``emoword``."""

from emoword.cli import main

main()
