"""What the API takes and gives, as JSON. FastAPI checks it and describes it under /docs."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

# PostgreSQL's integer ends at 2**31 - 1, its text cannot hold the NUL character, and its columns
# have the lengths that the models say: what it would refuse is answered with a 422 beforehand.
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]*$")]
Name = Annotated[Text, StringConstraints(max_length=50)]
Title = Annotated[Text, StringConstraints(max_length=100)]


def whole(number: object) -> object:
    """JSON has one kind of number, and 5.0 is an integer in it."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


IdInBody = Annotated[Id, BeforeValidator(whole)]

Item = TypeVar("Item")


class Body(BaseModel):
    """What a client sends: a field that is misspelt or a number in quotes is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CompanyCreate(Body):
    user_id: Text
    name: Name


class CompanyUpdate(Body):
    """What is left out, or null, stays as it is."""

    user_id: Text | None = None
    name: Name | None = None


class CompanyRead(BaseModel):
    id: int
    user_id: str
    name: str


class JobCreate(Body):
    title: Title
    description: Text
    company_id: IdInBody


class JobUpdate(Body):
    """What is left out, or null, stays as it is."""

    title: Title | None = None
    description: Text | None = None
    company_id: IdInBody | None = None


class JobRead(BaseModel):
    id: int
    title: str
    description: str
    company_id: int


class Paging(BaseModel):
    """Which part of a list, ordered by id."""

    limit: int = Field(default=20, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)


class Page(BaseModel, Generic[Item]):
    """A part of a list, and how long the whole list is."""

    items: list[Item]
    total: int


class Health(BaseModel):
    revision: str


class Problem(BaseModel):
    """Why a request could not be answered."""

    detail: str
