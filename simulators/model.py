"""What a scenario file says about a factory, as frozen dataclasses."""

from dataclasses import dataclass, field

from simulators.model_systems import NO_PAPERS, Books, Papers, Sensor, Systems


@dataclass(frozen=True, slots=True)
class Enterprise:
    """Who owns the factory."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Factory:
    """The factory itself; kind is discrete or process."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    region: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of every working day; the shifts of a day follow each other without a break."""

    name: str
    starts: str
    duration_s: int


@dataclass(frozen=True, slots=True)
class Closure:
    """Days without a shift that return every year; first is month-day."""

    name: str
    first: str
    days: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A planned stop on the first working day on or after a day of a month.

    month counts from the renovation, asset is empty for the whole factory, and a negative
    number of days means that it was filed only after it had begun.
    """

    reason: str
    month: int
    day: int
    hours: float
    filed_days_before: float
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working time; weekdays count from Monday 1, the log day begins with the first shift."""

    weekdays: tuple[int, ...]
    shift: tuple[Shift, ...]
    closure: tuple[Closure, ...] = ()
    spring_festival: tuple[str, ...] = ()
    spring_festival_days: int = 0
    stop: tuple[Stop, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product or grade by the number that controllers know."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Interruption:
    """A kind of interruption: its state, its share of all, and its duration's range [s]."""

    state: str
    share: float
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class RampStep:
    """A step of a start-up: its length [s], share of full speed and share of rejects."""

    seconds: float
    speed: float
    reject: float


@dataclass(frozen=True, slots=True)
class Phase:
    """How a kind of equipment behaves before or after the renovation; shares are 0…1."""

    speed: float
    run_mean_s: float = 0.0
    interruption: tuple[Interruption, ...] = ()
    setup_from_s: float = 0.0
    setup_to_s: float = 0.0
    speed_spread: float = 0.0
    load_spread: float = 0.0
    scrap: float = 0.0
    rework: float = 0.0
    ramp: tuple[RampStep, ...] = ()
    ramp_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """A step of a batch; the steps of a day share it in proportion to their hours."""

    state: str
    hours: float
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Conduct:
    """The behaviour of one kind of equipment.

    output is parts, flow or none. Products change twice a day at most with daily, and every
    campaign_days days with campaign.
    """

    output: str
    before: Phase
    after: Phase
    changes: str = "none"
    first_change: float = 0.0
    second_change: float = 0.0
    campaign_days: int = 0
    recipe: tuple[RecipeStep, ...] = ()
    batches_a_day: int = 0


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine or robot; powers in kW, ideal cycles in s per piece or kg by product."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    line: str
    serial: str
    conduct: str
    states: str
    standby_kw: float
    idle_kw: float
    run_kw: float
    in_oee: bool = False
    networked_after: bool = False
    ideal_cycles: dict[str, float] = field(default_factory=dict)
    max_rate_per_s: float = 1.0
    # For equipment without products, such as a robot: seconds per cycle.
    cycle_s: float = 0.0
    total_start: int = 0
    reject_start: int = 0
    # Whether its controller shows the power that it draws, since the renovation.
    shows_power: bool = False
    # What its nameplate says; 0 where it says nothing.
    rated_kw: float = 0.0
    min_cycle_s: float = 0.0
    # The paper of its acceptance, where the renovation changed it.
    retrofit_document: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """A Modbus value; a counter has a raw modulus and a raw start, ratio is primary per unit."""

    unit_id: int
    table: str
    address: int
    type: str
    order: str
    scale: float = 1.0
    ratio: float = 1.0
    modulus: int = 0
    start: int = 0
    max_rate_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Meter:
    """An energy meter; feeds names equipment, utilities or groups with their share."""

    code: str
    name_zh: str
    name_en: str
    serial: str
    carrier: str
    unit: str
    level: int
    feeds: dict[str, float]
    energy: Register
    power: Register | None = None
    power_unit: str = "kW"
    papers: Papers = NO_PAPERS


@dataclass(frozen=True, slots=True)
class Utility:
    """A consumer that follows the hour, the season and the output, in meter units per hour.

    per_output is meter units per kg at full load; droop is the extra share at no load.
    """

    name: str
    shift_rate: float
    off_rate: float
    before: float = 1.0
    season: float = 0.0
    noise: float = 0.0
    per_output: float = 0.0
    droop: float = 0.0


@dataclass(frozen=True, slots=True)
class EnergyFactor:
    """A certified heat value: kgce per meter unit of the carrier."""

    carrier: str
    kgce_per_unit: float
    source: str


@dataclass(frozen=True, slots=True)
class System:
    """A business system that publishes its status."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Orders:
    """Order lines of one workday and how they end; shares are 0…1."""

    lines_a_day: int
    quantity_from: int
    quantity_to: int
    on_time_before: float
    on_time_after: float
    open_share: float


@dataclass(frozen=True, slots=True)
class Finance:
    """Monthly cost of goods sold [yuan] and the turns towards which the stock moves."""

    cogs_before_yuan: float
    cogs_after_yuan: float
    turns_before: float
    turns_after: float
    months_to_settle: float
    raw_share: float
    wip_share: float


@dataclass(frozen=True, slots=True)
class Inspections:
    """Lots at final inspection: pieces of one block, or hours of a flow; scrap of all bad."""

    pieces: int = 0
    hours: float = 0.0
    flow_scrap_share: float = 0.0


@dataclass(frozen=True, slots=True)
class LinkLoss:
    """A time without any row from OPC UA and Modbus; month counts from the renovation."""

    month: int
    day: int
    starts: str
    hours: float


@dataclass(frozen=True, slots=True)
class Links:
    """Troubles of the machine network."""

    outages_a_month: int
    loss: tuple[LinkLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a device or a hand makes of one tag: frozen, reset, replayed, unpowered or skewed.

    Or of a book: inflated names a system whose jobs claim more than was made, misbilled a meter
    whose invoices differ. The month counts from the renovation; days_back belongs to replayed,
    ahead_s to skewed, times to books.
    """

    kind: str
    tag: str
    month: int
    day: int
    starts: str = "00:00"
    hours: float = 24.0
    days_back: int = 1
    ahead_s: float = 0.0
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What the application declared before and promises after, in the stored unit."""

    kpi: str
    before: float
    basis: str
    expected: float


@dataclass(frozen=True, slots=True)
class SelfReport:
    """How the enterprise's own report departs from the truth, then rounded to digits."""

    kpi: str
    digits: int
    add: float = 0.0
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole factory with its renovation, troubles, promises and report."""

    name: str
    seed: int
    factory: Factory
    enterprise: Enterprise
    calendar: Calendar
    product: tuple[Product, ...]
    states: dict[str, dict[str, str]]
    conduct: dict[str, Conduct]
    equipment: tuple[Equipment, ...]
    meter: tuple[Meter, ...]
    utility: tuple[Utility, ...]
    system: tuple[System, ...]
    orders: Orders
    finance: Finance
    inspections: Inspections
    links: Links
    promise: tuple[Promise, ...]
    self_report: tuple[SelfReport, ...]
    books: Books
    systems: Systems
    energy_factor: tuple[EnergyFactor, ...] = ()
    sensor: tuple[Sensor, ...] = ()
    trouble: tuple[Trouble, ...] = ()
