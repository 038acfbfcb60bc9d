import enum
from datetime import date, datetime

from sqlalchemy import DateTime, Enum, ForeignKey, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobboard.database import Base


class JobKind(enum.Enum):
    full = "full"
    part = "part"
    freelance = "freelance"


class Company(Base):
    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    contact: Mapped[str] = mapped_column(String(120))
    website: Mapped[str | None] = mapped_column(String(200))
    jobs: Mapped[list["Job"]] = relationship(back_populates="company")


class Job(Base):
    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    city: Mapped[str | None] = mapped_column(String(80))
    pay_cents: Mapped[int | None]
    deadline: Mapped[date | None]
    remote: Mapped[bool] = mapped_column(server_default="false")
    kind: Mapped[JobKind] = mapped_column(Enum(JobKind, name="job_kind"), server_default="full")
    company: Mapped["Company"] = relationship(back_populates="jobs")
    applications: Mapped[list["Application"]] = relationship(back_populates="job")


class Application(Base):
    __tablename__ = "applications"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    email: Mapped[str] = mapped_column(String(120))
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    job: Mapped["Job"] = relationship(back_populates="applications")
