from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_engine("postgresql+psycopg2://")


class Base(DeclarativeBase):
    pass
