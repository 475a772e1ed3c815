"""SQLAlchemy metadata shared by all tables of the gateway and the consent package."""

from sqlmodel import SQLModel

metadata = SQLModel.metadata
