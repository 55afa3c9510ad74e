"""The task API on FastAPI, PyJWT, slowapi and SQLAlchemy."""
