"""What a scenario file says about a factory's papers and the newer business systems."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sensor:
    """A transmitter on a machine since the renovation: its value at rest and at full load.

    noise is the half width of what changes from one quarter of an hour to the next.
    """

    asset: str
    name: str
    unit: str
    at_rest: float
    at_full: float
    noise: float


@dataclass(frozen=True, slots=True)
class Material:
    """A purchased material and how much of it one unit of a product takes, by product number."""

    code: str
    unit: str
    per_unit: dict[str, float]


@dataclass(frozen=True, slots=True)
class Invoice:
    """A supplier's monthly invoice of what one entry meter counted; green_share is 0…1."""

    meter: str
    number: str
    price_yuan: float
    green_share: float = 0.0


@dataclass(frozen=True, slots=True)
class People:
    """People employed before the renovation and after it, with the share in production."""

    before: int
    after: int
    production_share: float


@dataclass(frozen=True, slots=True)
class Research:
    """Projects released each year, and the days that one takes before and after."""

    releases_a_year: int
    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True)
class Characteristic:
    """What the inspection device measures of a product, with the half width of its noise."""

    name: str
    unit: str
    nominal: float
    noise: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Systems:
    """APS, MES, WMS, QMS and EAM records, sent from a month after the renovation on.

    opening_stock is the finished goods in stock as that month begins, in pieces or kg.
    """

    from_month: int
    opening_stock: int
    stock_unit: str
    characteristic: Characteristic
    material: tuple[Material, ...]
    out_of_control: float = 0.02
    # One movement in so many is typed in and carried by hand.
    typed_every: int = 97


@dataclass(frozen=True, slots=True)
class Papers:
    """Nameplate and papers of a meter; its verification ends months after the renovation."""

    rated_kw: float = 0.0
    accuracy_class: float = 0.0
    verified_months: int = 0
    loss_share: float = 0.0
    retention_days: int = 0


NO_PAPERS = Papers()


@dataclass(frozen=True, slots=True)
class Books:
    """Monthly books beside cost and stock: output value, energy invoices, people, projects."""

    value_of_cogs: float
    price_year: int
    people: People
    research: Research
    invoice: tuple[Invoice, ...] = field(default_factory=tuple)
