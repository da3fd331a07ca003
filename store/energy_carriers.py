"""Which carriers of energy a plan may name, in which unit, and how large their factors may be.

A factor beyond the range is that of another carrier or of another unit: circulating tables print
0.33 kgce for a cubic metre of natural gas and 4.04 kgce for a kilowatt-hour. The ranges lie 40 %
beyond the reference values of GB/T 2589-2020; electricity goes from its calorific value to the
equivalent value of old power stations.
"""

from dataclasses import dataclass

KJ_PER_KGCE = 29_307.0
UNITS = ("kWh", "MJ", "m3", "kg", "t")


@dataclass(frozen=True, slots=True)
class Carrier:
    """Unit of a carrier, and the least and largest plausible factor [kgce/unit]."""

    unit: str
    least_kgce: float
    most_kgce: float


ANY_LEAST_KGCE, ANY_MOST_KGCE = 0.001, 15.0

CARRIERS: dict[str, Carrier] = {
    "electricity": Carrier("kWh", 0.12, 0.45),
    "raw_coal": Carrier("kg", 0.43, 1),
    "washed_coal": Carrier("kg", 0.54, 1.3),
    "middlings": Carrier("kg", 0.17, 0.4),
    "slime": Carrier("kg", 0.17, 0.6),
    "gangue": Carrier("kg", 0.17, 0.4),
    "coke": Carrier("kg", 0.58, 1.4),
    "coal_tar": Carrier("kg", 0.69, 1.6),
    "crude": Carrier("kg", 0.86, 2),
    "fuel_oil": Carrier("kg", 0.86, 2),
    "gasoline": Carrier("kg", 0.88, 2.1),
    "kerosene": Carrier("kg", 0.88, 2.1),
    "diesel": Carrier("kg", 0.87, 2),
    "natural_gas": Carrier("m3", 0.66, 1.9),
    "lng": Carrier("kg", 1.1, 2.5),
    "lpg": Carrier("kg", 1, 2.4),
    "refinery_gas": Carrier("kg", 0.94, 2.2),
    "coke_oven_gas": Carrier("m3", 0.34, 0.86),
    "blast_furnace_gas": Carrier("m3", 0.077, 0.18),
    "producer_gas": Carrier("m3", 0.11, 0.25),
    "heavy_oil_catalytic_gas": Carrier("m3", 0.39, 0.92),
    "heavy_oil_thermal_gas": Carrier("m3", 0.73, 1.7),
    "coke_gas": Carrier("m3", 0.33, 0.78),
    "pressure_gas": Carrier("m3", 0.31, 0.72),
    "water_gas": Carrier("m3", 0.21, 0.5),
    "crude_benzol": Carrier("kg", 0.86, 2),
    "methanol_fuel": Carrier("kg", 0.41, 0.95),
    "ethanol_fuel": Carrier("kg", 0.55, 1.3),
    "hydrogen_fuel": Carrier("m3", 0.2, 0.47),
    "biogas": Carrier("m3", 0.43, 1.2),
    "heat": Carrier("MJ", 0.02, 0.048),
    "fresh_water": Carrier("t", 0.15, 0.36),
    "softened_water": Carrier("t", 0.29, 0.68),
    "deaerated_water": Carrier("t", 0.58, 1.4),
    "compressed_air": Carrier("m3", 0.024, 0.056),
    "oxygen": Carrier("m3", 0.24, 0.56),
    "nitrogen_byproduct": Carrier("m3", 0.24, 0.56),
    "nitrogen_main": Carrier("m3", 0.4, 0.94),
    "carbon_dioxide": Carrier("m3", 0.13, 0.3),
    "acetylene": Carrier("m3", 5, 12),
    "calcium_carbide": Carrier("kg", 1.2, 2.9),
}
