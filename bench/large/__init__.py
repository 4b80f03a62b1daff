"""A campaign as large as a big prefecture: filled below the platform, measured through it."""
