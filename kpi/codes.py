"""Codes of enterprises: unified social credit code and size class.

References
----------
[1] GB 32100-2015, unified social credit identifier: 31 characters, weights 3^i mod 31.
[2] GB 11714-1997, organisation code: weights 3 7 9 10 5 8 4 2, modulus 11.
[3] 国统字〔2017〕213号, 统计上大中小微型企业划分办法(2017), industry.
"""

from dataclasses import dataclass

from kpi.formulas.checks import non_negative

CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# Who registers: public institutions, civil affairs, market regulation ... army, farming, others.
CREDIT_DEPARTMENTS = "123456789ANY"
ORGANISATION_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS = "0123456789X"
DIGITS = frozenset("0123456789")

# Size, least employees, least revenue [10 000 yuan]; both must be reached.
INDUSTRY_SIZES = (("大型", 1000, 40_000), ("中型", 300, 2_000), ("小型", 20, 300))
SMALLEST_SIZE = "微型"


@dataclass(frozen=True)
class CreditCode:
    """Whether a code holds by the standards, and if not, why."""

    valid: bool
    reason: str | None = None


def credit_code(code: str) -> CreditCode:
    """Check a unified social credit code 统一社会信用代码, both of its check digits.

    The code is taken as it stands: neither blanks nor lower case are repaired. Some codes issued
    lawfully in an early Fujian pilot fail the check, so an invalid code asks for evidence and is
    no ground for rejection by itself. The region need not exist any more.

    Parameters
    ----------
    code : 18 characters

    Returns
    -------
    CreditCode : valid, or the reason

    References: [1], [2].
    """
    if not isinstance(code, str) or len(code) != len(CREDIT_WEIGHTS) + 1:
        return CreditCode(False, "the code must have 18 characters")
    if not set(code) <= set(CREDIT_CHARACTERS):
        return CreditCode(False, "only digits and capital letters without I, O, S, V, Z are used")
    if code[0] not in CREDIT_DEPARTMENTS or code[1] not in DIGITS:
        return CreditCode(False, "characters 1 and 2, the registering department, do not exist")
    if not set(code[2:8]) <= DIGITS:
        return CreditCode(False, "characters 3 to 8, the region, must be digits")
    if code[16] != organisation_check(code[8:16]):
        return CreditCode(False, "character 17, the organisation's check digit, does not match")
    if code[17] != credit_check(code[:17]):
        return CreditCode(False, "character 18, the check digit, does not match")
    return CreditCode(True)


def credit_check(body: str) -> str:
    """Check character of the first 17 characters of a credit code [1]."""
    weighted = zip(body, CREDIT_WEIGHTS, strict=True)
    total = sum(CREDIT_CHARACTERS.index(character) * weight for character, weight in weighted)
    return CREDIT_CHARACTERS[-total % 31]


def organisation_check(body: str) -> str:
    """Check character of the first 8 characters of an organisation code [2]."""
    weighted = zip(body, ORGANISATION_WEIGHTS, strict=True)
    total = sum(ORGANISATION_CHARACTERS.index(character) * weight for character, weight in weighted)
    return ORGANISATION_CHECKS[-total % 11]


def enterprise_size(employees: float, revenue_wan: float) -> str:
    """Size class of an industrial enterprise.

    Both lower bounds of a class must be reached, else the enterprise drops to the next one. The
    test of 规模以上 (revenue of at least 20 million yuan) is another one.

    Parameters
    ----------
    employees : [person]
    revenue_wan : operating revenue of the year [10 000 yuan]

    Returns
    -------
    str : 大型, 中型, 小型 or 微型

    References: [3].
    """
    people = non_negative("employees", employees)
    revenue = non_negative("revenue", revenue_wan)
    for size, least_people, least_revenue in INDUSTRY_SIZES:
        if people >= least_people and revenue >= least_revenue:
            return size
    return SMALLEST_SIZE
