"""Parameters that several resources share."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query

MOST_CURSOR = 2**53 - 1  # the largest whole number that every JSON reader keeps exactly
MOST_SMALL = 2**31 - 1  # the largest whole number of a column of four bytes

_CODE = r"^[\w.:-]{1,64}$"

Code = Annotated[str, Path(pattern=_CODE, description="The factory's code", examples=["DEMO-M"])]
PeriodStart = Annotated[
    date | None,
    Query(description="The first day of a rolling year; the newest judged one by default"),
]
FactoryFilter = Annotated[
    str | None, Query(pattern=_CODE, description="Only this factory", examples=["DEMO-M"])
]
RegionFilter = Annotated[
    str | None,
    Query(pattern=r"^\w{1,12}$", description="Only this county or zone", examples=["320613"]),
]
AfterCode = Annotated[
    str | None, Query(pattern=_CODE, description="Only codes after this one: `next_after`")
]
Number = Annotated[int, Path(ge=1, le=MOST_CURSOR, description="Its number", examples=[12])]
SmallNumber = Annotated[int, Path(ge=1, le=MOST_SMALL, description="Its number", examples=[12])]
Before = Annotated[
    int | None, Query(ge=1, le=MOST_CURSOR, description="Only numbers below: `next_before`")
]
SmallBefore = Annotated[
    int | None, Query(ge=1, le=MOST_SMALL, description="Only numbers below: `next_before`")
]
StateFilter = Annotated[str | None, Query(pattern=r"^\w{1,40}$", description="Only in this state")]
FileName = Annotated[
    str, Query(pattern=r"^[^\x00-\x1f/\\]{1,200}$", description="Its name, without a folder")
]
