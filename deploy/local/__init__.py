"""One machine, one command: the embedded launcher (docs/decisions/0003-embedded-servers.md)."""
