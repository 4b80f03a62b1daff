"""The kinds of text that citizens agree to. Pure."""

from typing import Literal

# What is done with the data; the separate consent to sensitive data; the rules of taking part.
Kind = Literal["privacy", "sensitive", "terms"]
# How an entry of a person's consents came about.
How = Literal["identity_form", "explicit"]
