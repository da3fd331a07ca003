"""Steps of memberships, reports and disputes: whom one is open to, and why it is refused."""

from collections.abc import Collection, Sequence

from api.errors import NotFound
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.lifecycle import Name, Step
from api.pool.reason_words import told
from api.pool.reasons import Reason, reason
from api.pool.refused import refused
from api.pool.roles import ROLES

# Reasons that lie in who asks, and not in how things stand.
_PERSONAL = {"role", "own", "maker", "measured", "assigned"}


def not_of(roles: Sequence[str]) -> Reason:
    """Return that a step is for others, and for whom."""
    names = [ROLES[each] for each in roles]
    return reason(
        "step",
        "role",
        roles_zh="、".join(zh for zh, _ in names),
        roles_en=" or ".join(en for _, en in names),
    )


def check_version(thing: str, seen: int, held: int) -> None:
    """Raise StaleVersion where a thing, such as the report, was changed in the meantime."""
    if seen != held:
        raise refused(f"stale_{thing}", StaleVersion, held=held, seen=seen)


def chosen(
    thing: str, step_id: str, known: Collection[str], steps: Sequence[Step], state: Name
) -> Step:
    """Return the step to take; raises NotFound, NotPossible with what is, or NotAllowed."""
    if step_id not in known:
        raise NotFound(f"a {thing} has no step {step_id}")
    for step in steps:
        if step.transition.transition_id == step_id:
            if step.reasons:
                raise refusal(step, steps)
            return step
    found = refused(f"no_step_{thing}", NotPossible, step=step_id, state=state)
    found.possible = tuple(steps)
    raise found


def refusal(step: Step, steps: Sequence[Step]) -> Declined:
    """Return why a step is refused that is not open: NotAllowed where it lies in who asks."""
    is_personal = any(each.code in _PERSONAL for each in step.reasons)
    found = NotAllowed(_said(step, "en")) if is_personal else NotPossible(_said(step, "en"), steps)
    found.code, found.zh = step.reasons[0].code, _said(step, "zh")
    return found


def _said(step: Step, language: str) -> str:
    why = ("；" if language == "zh" else "; ").join(told(each, language) for each in step.reasons)
    return f"{getattr(step.transition.name, language)}{'：' if language == 'zh' else ': '}{why}"
