"""What the API takes and gives, as JSON. FastAPI checks it and describes it under /docs."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from jobboard.models import JobStatus

# PostgreSQL's integer ends at 2**31 - 1, its text cannot hold the NUL character, and its columns
# have the lengths that the models say: what it would refuse is answered with a 422 beforehand.
# A text that is blank says nothing: there has to be something in it that is not white space.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Text50 = Annotated[Text, StringConstraints(max_length=50)]
Text100 = Annotated[Text, StringConstraints(max_length=100)]
Text200 = Annotated[Text, StringConstraints(max_length=200)]
Hours = Annotated[int, Field(ge=1, le=60)]  # in a week
Status = Annotated[JobStatus, Field(strict=False)]  # a word in JSON, a member of the enum here


def whole(number: object) -> object:
    """JSON has one kind of number, and 5.0 is an integer in it."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


IdInBody = Annotated[Id, BeforeValidator(whole)]
HoursInBody = Annotated[Hours, BeforeValidator(whole)]

# In a change, for a field that may be left out and may not be null. Nobody reads the value: with
# None as the default instead, the description would offer null.
LEFT_OUT: Any = Field(default_factory=lambda: None)

Item = TypeVar("Item")


class Body(BaseModel):
    """What a client sends: a field that is misspelt or a number in quotes is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CompanyCreate(Body):
    user_id: Text
    name: Text50
    website: Text200 | None = None


class CompanyUpdate(Body):
    """What is left out stays as it is; null clears `website`."""

    user_id: Text = LEFT_OUT
    name: Text50 = LEFT_OUT
    website: Text200 | None = None


class CompanyRead(BaseModel):
    id: int
    user_id: str
    name: str
    website: str | None


class JobCreate(Body):
    title: Text100
    hours: HoursInBody | None = None
    description: Text
    company_id: IdInBody
    status: Status = JobStatus.open
    city: Text100 | None = None
    remote: bool = False


class JobUpdate(Body):
    """What is left out stays as it is; null clears `hours` and `city`."""

    title: Text100 = LEFT_OUT
    hours: HoursInBody | None = None
    description: Text = LEFT_OUT
    company_id: IdInBody = LEFT_OUT
    status: Status = LEFT_OUT
    city: Text100 | None = None
    remote: bool = LEFT_OUT


class JobRead(BaseModel):
    id: int
    title: str
    hours: int | None
    description: str
    company_id: int
    status: JobStatus
    city: str | None
    remote: bool


class Paging(BaseModel):
    """Which part of a list, ordered by id."""

    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)


class Page(BaseModel, Generic[Item]):
    """A part of a list, and how long the whole list is."""

    items: list[Item]
    total: int


class Health(BaseModel):
    """The revisions that the database is at; `ahead` where newer code has migrated it."""

    revisions: list[str]
    ahead: bool


class Problem(BaseModel):
    """Why a request could not be answered."""

    detail: str
