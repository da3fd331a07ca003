"""Values of the policy as people read and write them."""

from api.formats import percent
from api.messages import Texts, catalogue
from api.pool.errors import Unfit
from api.pool.policy import Held, Key, PolicyValue, keys

_TEXTS = ("day", "checks", "lifecycle")


def value_text(t: Texts, key: Key, value: PolicyValue) -> str:
    """Return a value with its unit."""
    if key.unit == "flag":
        return t("policy.yes") if value else t("policy.no")
    if key.unit == "share":
        return _share(float(value))
    if key.unit == "lifecycle":
        return t("policy.own_file", length=len(str(value))) if value else t("policy.shipped_file")
    if key.unit in _TEXTS:
        return str(value) or t("policy.nothing")
    return t(f"policy_unit.{key.unit}", value=value)


def name(t: Texts, code: str) -> str:
    """Return what a key is called; one that is not known any more goes by its code."""
    known = keys().get(code)
    return code if known is None else t.pick(known.zh, known.en)


def source(t: Texts, held: Held) -> str:
    """Return what a value rests on; the words of a confirmed one are the bureau's own."""
    return held.source if held.settled else t.pick(held.key.source, held.key.source_en)


def part(t: Texts, code: str) -> str:
    """Return under which heading a key stands."""
    first = code.partition(".")[0]
    return t(f"policy_part.{first}") if f"policy_part.{first}" in catalogue() else first


def range_text(t: Texts, key: Key) -> str:
    """Return which values fit a key."""
    if key.least is None or key.most is None:
        return t(f"policy.form_{key.unit}")
    least, most = (value_text(t, key, _whole(key, each)) for each in (key.least, key.most))
    return t("policy.range", least=least, most=most)


def given(key: Key, text: str) -> PolicyValue:
    """Return the value that somebody wrote into a form: shares are written in percent.

    Raises Unfit with the key where it is no number; whether it fits, the key itself says.
    """
    if key.unit in _TEXTS:
        return text.strip()
    if key.unit == "flag":
        return text == "yes"
    try:
        return round(float(text.strip().rstrip("%")) / 100, 9) if key.unit == "share" else int(text)
    except ValueError:
        raise Unfit(key.name, "number" if key.unit == "share" else "whole") from None


def written(key: Key, value: PolicyValue) -> str:
    """Return a value as a form holds it."""
    if key.unit == "flag":
        return "yes" if value else "no"
    return f"{float(value) * 100:g}" if key.unit == "share" else str(value)


def fault_text(t: Texts, key: Key, error: Unfit) -> str:
    """Return why a value does not fit, with the range as the page shows it."""
    if error.code == "range":
        return f"{name(t, key.name)}{t('warning.colon')}{range_text(t, key)}"
    field = {"source": "policy.document", "valid_from": "policy.valid_from"}.get(error.field)
    about = t(field) if field else name(t, key.name)
    return f"{about}{t('warning.colon')}{t(f'unfit.{error.code}', **error.values)}"


def _share(share: float) -> str:
    exact = (each for each in (0, 1, 2) if abs(share * 100 - round(share * 100, each)) < 1e-9)
    return percent(share, next(exact, 3))


def _whole(key: Key, bound: float) -> PolicyValue:
    return bound if key.unit == "share" else int(bound)
