"""Accounts as the security administrator sees them."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.permissions import Permission, Role


class NewAccount(BaseModel):
    """One person in one role."""

    login: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$", examples=["liwei"])
    name: str = Field(min_length=1, max_length=64, examples=["李伟"])
    role: Role
    region: str | None = Field(
        default=None, max_length=12, description="The county of a county role", examples=["320613"]
    )
    factories: list[str] = Field(
        default=[], max_length=100, description="Codes, of an enterprise's or expert's account"
    )
    email: str | None = Field(default=None, max_length=254, examples=["liwei@example.com"])
    provider_subject: str | None = Field(
        default=None,
        max_length=255,
        description="Who the person is to the bureau's provider, where there is one",
    )


class MadeAccount(BaseModel):
    """A new account."""

    account_id: int = Field(examples=[17])
    login: str = Field(examples=["liwei"])
    password: str = Field(description="Shown only now; its person changes it at the first log-in")


class Account(BaseModel):
    """An account, without anything that opens it."""

    account_id: int = Field(examples=[17])
    login: str = Field(examples=["liwei"])
    name: str = Field(examples=["李伟"])
    role: Role
    region: str | None = Field(examples=["320613"])
    factories: list[str] = Field(examples=[["DEMO-M"]])
    email: str | None = Field(examples=["liwei@example.com"])
    has_password: bool = Field(description="False where only the bureau's provider lets it in")
    must_change: bool = Field(description="True while its password is a temporary one")
    has_second_factor: bool = Field(description="True once a device makes codes for it")
    locked_until: datetime | None = Field(description="After too many failures")
    disabled_at: datetime | None = Field(description="null while it is open")
    made_at: datetime
    made_by: str = Field(examples=["王芳"])
    version: int = Field(description="Counts its changes; the ETag names it")


class AccountList(BaseModel):
    """Accounts in the order of their logins."""

    items: list[Account]
    next_after: str | None = Field(description="Ask with this `after` for those that follow")


class NewPassword(BaseModel):
    """A temporary password."""

    password: str = Field(description="Shown only now; its person changes it at the first log-in")


class NewToken(BaseModel):
    """What a system shall be let in with."""

    name: str = Field(min_length=1, max_length=64, examples=["数据中台"])
    permissions: list[Permission] = Field(min_length=1)
    days: int = Field(ge=1, le=366, description="How long it holds", examples=[90])


class MadeToken(BaseModel):
    """A new token."""

    token_id: int = Field(examples=[3])
    token: str = Field(description="Shown only now; to be sent as `Authorization: Bearer`")


class Token(BaseModel):
    """A token without its secret."""

    token_id: int = Field(examples=[3])
    account_id: int = Field(examples=[17])
    login: str = Field(examples=["liwei"])
    name: str = Field(examples=["数据中台"])
    permissions: list[str] = Field(examples=[["follow-up:read"]])
    made_at: datetime
    made_by: str = Field(examples=["王芳"])
    expires_at: datetime
    used_at: datetime | None = Field(description="null while it was never used")
    ended_at: datetime | None = Field(description="null while it was not ended")


class TokenList(BaseModel):
    """Tokens, newest first."""

    items: list[Token]
    next_before: int | None = Field(description="Ask with this `before` for older ones")
