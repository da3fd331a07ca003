"""Units in which a monitoring plan may say what a tag shows; "1" is a plain number."""

TAG_UNITS = (
    "1", "%", "count", "pcs", "kWh", "MWh", "Wh", "kvarh", "kW", "W", "kvar", "kVA", "V", "A", "Hz",
    "MJ", "GJ", "GJ/h", "MJ/h", "m3", "Nm3", "L", "kg", "g", "t", "m2", "m3/h", "Nm3/h", "kg/h",
    "t/h", "L/min", "°C", "K", "Pa", "kPa", "MPa", "bar", "s", "min", "h", "m", "mm", "µm", "mm/s",
    "m/s", "m/min", "rpm", "1/min", "N", "kN", "Nm", "dB", "lx", "ppm", "mg/m3", "%RH", "pH",
)  # fmt: skip
