"""`python -m huaxiang` is the command line."""

from huaxiang.cli import main

main()
