"""The settlement of a large campaign, through the real job."""
