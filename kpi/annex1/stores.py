"""Methods over the movements of the store."""

from kpi.annex1.basis import Answer, Footprint, judged, shared, text
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because

_READ = ("barcode", "qr_code", "rfid")


def identified(seen: Footprint, rule: Rule) -> Answer:
    """Goods were identified by a bar code, a QR code or a radio tag when they moved."""
    moves = seen.some("stock_move", rule)
    good = [each for each in moves if text(each, "identified_by") in _READ]
    proven, numbers, against = shared(moves, good, rule.limits["least_share"])
    return judged(proven, numbers, kind="stock_move", shown=good, against=against)


def vehicles(seen: Footprint, rule: Rule) -> Answer:
    """A system sent the vehicles and cranes on most of their ways."""
    moves = [each for each in seen.some("stock_move", rule) if text(each, "vehicle")]
    if not moves:
        raise NotComputable(because("no_vehicle"))
    good = [each for each in moves if text(each, "dispatched_by") == "auto"]
    count = len({text(each, "vehicle") for each in moves})
    proven, numbers, against = shared(moves, good, rule.limits["least_share"], vehicles=count)
    return judged(proven, numbers, kind="stock_move", shown=good, against=against)
