"""Rules on the digits of typed numbers and amounts: prompts for a look, never proof.

References
----------
[1] Pearson's χ² test of a uniform digit, Cramér's V as its effect.
[2] F. Benford, The law of anomalous numbers, 1938: first digit d has the share lg(1 + 1/d).
"""

from collections.abc import Iterator, Sequence
from math import erfc, exp, pi, sqrt

import numpy as np

from kpi.facts.basis import Floats
from kpi.plausibility.basis import Case, Measured, NotApplicable, number_in, of_record

_LEAST_DIGITS = 300
_LEAST_ROUND = 100
_RARE = 0.001
_SHOWN_RECORDS = 50


def last_digits(case: Case) -> Iterator[Measured]:
    """P10: Cramér's V of the last digit of typed values against a uniform one [1].

    Values have three digits at least; it says something only where chance is below 0.001.
    """
    texts = [text for text in _typed(case) if len(_digits(text)) >= 3]
    if len(texts) < _LEAST_DIGITS:
        raise NotApplicable("too_few_typed")
    counted = np.bincount([int(_digits(text)[-1]) for text in texts], minlength=10)
    squares = float(((counted - len(texts) / 10) ** 2).sum() / (len(texts) / 10))
    effect = sqrt(squares / (len(texts) * 9)) if chance_of_nine(squares) < _RARE else 0.0
    yield Measured(case.plan.factory.code, effect, shown=_manual(case))


def round_values(case: Case) -> Iterator[Measured]:
    """P12: share of typed values that end in 0 or 5; a fifth would by chance."""
    texts = [text for text in _typed(case) if len(_digits(text)) >= 2]
    if len(texts) < _LEAST_ROUND:
        raise NotApplicable("too_few_typed")
    share = sum(_digits(text)[-1] in "05" for text in texts) / len(texts)
    yield Measured(case.plan.factory.code, share, shown=_manual(case))


def first_digits(case: Case) -> Iterator[Measured]:
    """P11: Cramér's V of the first digit of invoiced amounts against Benford's law [2].

    Assigned or bounded numbers do not follow the law, so only amounts are looked at.
    """
    records = case.records.get("energy_invoice", ())
    amounts = [number_in(record.body, "amount_yuan") for record in records]
    known = [f"{amount:e}"[0] for amount in amounts if amount is not None and amount > 0]
    if len(known) < _LEAST_DIGITS:
        raise NotApplicable("too_few_invoices")
    counted = np.bincount([int(digit) for digit in known], minlength=10)[1:]
    law: Floats = np.log10(1 + 1 / np.arange(1, 10)) * len(known)
    squares = float(((counted - law) ** 2 / law).sum())
    effect = sqrt(squares / (len(known) * 8)) if chance_of_eight(squares) < _RARE else 0.0
    shown = [of_record("energy_invoice", record.key) for record in records[:_SHOWN_RECORDS]]
    yield Measured(case.plan.factory.code, effect, shown=shown)


def chance_of_nine(squares: float) -> float:
    """Return how likely a χ² of nine degrees of freedom is at least so great."""
    terms = 1 + squares / 3 + squares**2 / 15 + squares**3 / 105
    return erfc(sqrt(squares / 2)) + sqrt(2 * squares / pi) * exp(-squares / 2) * terms


def chance_of_eight(squares: float) -> float:
    """Return how likely a χ² of eight degrees of freedom is at least so great."""
    half = squares / 2
    return exp(-half) * (1 + half + half**2 / 2 + half**3 / 6)


def _typed(case: Case) -> list[str]:
    """Return the values of measurements that a person typed, as they were written."""
    found = []
    for record in case.records.get("inspection", ()):
        if record.body.get("origin") == "manual":
            given = record.body.get("measurements")
            rows: Sequence[object] = given if isinstance(given, list) else ()
            found += [
                str(row["value"])
                for row in rows
                if isinstance(row, dict) and number_in(row, "value") is not None
            ]
    return found


def _manual(case: Case) -> list[dict[str, str]]:
    records = case.records.get("inspection", ())
    keys = [record.key for record in records if record.body.get("origin") == "manual"]
    return [{"record": "inspection", "key": key} for key in keys]


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit()).lstrip("0")
