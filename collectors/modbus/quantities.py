"""What device profiles may call a value, each with the one unit in which it is stored."""

PHASES = ("l1", "l2", "l3")

_OF_A_PHASE = {
    "voltage": "V",
    "current": "A",
    "active_power": "kW",
    "reactive_power": "kvar",
    "apparent_power": "kVA",
    "power_factor": "1",
    "active_energy_import": "kWh",
    "active_energy_export": "kWh",
}

QUANTITIES: dict[str, str] = {
    "active_energy_import": "kWh",
    "active_energy_export": "kWh",
    "active_energy_total": "kWh",
    "reactive_energy_import": "kvarh",
    "reactive_energy_export": "kvarh",
    "active_power": "kW",
    "reactive_power": "kvar",
    "apparent_power": "kVA",
    "power_factor": "1",
    "frequency": "Hz",
    "voltage_l1_l2": "V",
    "voltage_l2_l3": "V",
    "voltage_l3_l1": "V",
    **{f"{name}_{phase}": unit for name, unit in _OF_A_PHASE.items() for phase in PHASES},
}

# Which transformer ratios a value of a unit is multiplied by, where a meter gives the secondary
# side: those of current, of voltage, or of both.
TRANSFORMED: dict[str, tuple[bool, bool]] = {
    "A": (True, False),
    "V": (False, True),
    **dict.fromkeys(("kWh", "kvarh", "kW", "kvar", "kVA"), (True, True)),
}
