"""The commands of `hv`, one module for each group; deploy/cli.py lists them."""
