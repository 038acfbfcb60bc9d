import enum

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobboard.database import Base


class JobStatus(enum.Enum):
    draft = "draft"
    open = "open"
    closed = "closed"


class Company(Base):
    __tablename__ = "companies"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    name: Mapped[str] = mapped_column(String(50))
    website: Mapped[str | None] = mapped_column(String(200))
    jobs: Mapped[list["Job"]] = relationship(back_populates="company")


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("btrim(title) <> ''", name="title_not_blank"),
        CheckConstraint("hours BETWEEN 1 AND 60", name="hours_in_a_week"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    hours: Mapped[int | None]
    description: Mapped[str]
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    status: Mapped[JobStatus] = mapped_column(
        Enum(JobStatus, name="job_status"), server_default="open"
    )
    location: Mapped[str | None] = mapped_column(String(100), index=True)
    remote: Mapped[bool] = mapped_column(server_default=false())
    company: Mapped["Company"] = relationship(back_populates="jobs")
