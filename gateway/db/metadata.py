"""The one list of all tables: every room's, and the consent package's."""

from sqlmodel import SQLModel

metadata = SQLModel.metadata
