"""What the demonstration is made of: shipped definitions, example directory, question bank, accounts."""

# A demonstration's accounts are known on purpose: it holds no real person, and says so on every page.
DEMO_USERNAME = "admin"
DEMO_PASSWORD = "Demo-2020-Honghe"  # noqa: S105 - see above
# The day before the model campaign opened.
DEMO_CLOCK_START = "2020-10-31T09:00:00+08:00"
