"""What logging in takes and gives."""

from typing import Literal

from pydantic import BaseModel, Field

StageName = Literal["open", "code", "device", "password"]


class Credentials(BaseModel):
    """Who asks to be let in."""

    login: str = Field(min_length=1, max_length=64, examples=["liwei"])
    password: str = Field(min_length=1, max_length=512, description="It is never stored as such")
    code: str | None = Field(
        default=None,
        max_length=32,
        description="Of the device, or a recovery code; only for accounts with a second factor",
    )


class Session(BaseModel):
    """A session; its secret is in the cookie that comes with this answer."""

    stage: StageName = Field(
        description="open, or what is lacking: a code (send it with the password), a device or a "
        "password of one's own (both on the pages under /login)"
    )
    csrf: str = Field(
        description="To be sent as the header X-CSRF-Token with everything that changes something",
        examples=["3f1c…"],
    )


class Who(BaseModel):
    """Who asks, and what they may do."""

    login: str = Field(examples=["liwei"])
    name: str = Field(examples=["李伟"])
    role: str = Field(examples=["county_officer"])
    region: str | None = Field(description="The county of a county role", examples=["320613"])
    permissions: list[str] = Field(examples=[["figures:read", "follow-up:read"]])
    csrf: str | None = Field(description="null for a token, which needs none")
