"""The way of a membership into a rectification and out of it, for tests."""

from tests.api.pool.pooled import Pooled

PEOPLE = ("示例甲", "示例乙")


def to_rectification(pooled: Pooled) -> None:
    """Warn, let the term pass, order the rectification."""
    pooled.warn()
    pooled.later(days=31)
    pooled.move("city_officer", "order_rectification", "期满未消除")


def pass_rectification(pooled: Pooled) -> None:
    pooled.record("ent_filler", "rectification_report")
    pooled.record("county_officer", "site_check", people=PEOPLE, passed=True)
    pooled.move("city_leader", "pass_rectification")
