"""The write-off as it is ordinarily built: FastAPI, and one SQLAlchemy ORM session for each request.

It does what the platform does: the same signature, checks and rows in the same tables, so
that the integrity check holds over both. Nothing in it is slow on purpose.
"""
