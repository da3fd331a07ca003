"""What a letter states as facts: of a step as it was decided, or of a stay as it is now."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api import kpis
from api.errors import NotFound
from api.exports.letter import FACTS, Facts
from api.exports.model import Table, day, in_chinese, table
from api.messages import Texts
from api.pool import evidence, lifecycle, settings, warnings, workdays
from api.pool.errors import Declined
from api.pool.guards import GRADES
from api.pool.lifecycle import Lifecycle
from api.pool.policy import Policy
from api.pool.workdays import Term
from store import Connection, documents, evidence_items, memberships, policies
from store.documents import Document
from store.evidence_items import StoredItem
from store.memberships import Membership, Taken
from store.registry import Factory

POOL = "南通市智能工厂培育库"
_UNITS = {"d": "日", "workday": "个工作日", "month": "个月", "year": "年"}
_GROUNDS = ("accident", "dishonesty", "falsification", "misstatement")


def of_step(conn: Connection, document: Document, factory: Factory) -> Facts:
    """Return the facts of a step with what it was decided under; raises NotFound."""
    step = documents.step(conn, document.transition_no or 0)
    stay = documents.membership(conn, document.membership_id or 0)
    if step is None or stay is None:
        raise NotFound(f"the step of the document {document.document_id} is not there")
    on = workdays.today(step.at)
    machine = lifecycle.held(settings.current(conn, on))
    values = policies.values(conn, step.policy_id) or {}
    items = [each for each in evidence_items.listed(conn, stay.membership_id) if each.at <= step.at]
    estimated = stay.version == step.version and stay.deadline_estimated
    words = _common(factory, stay, machine, step.to_state) | _items(items) | {
        "today": day(on),
        "step": _step_name(machine, step),
        "step_on": day(on),
        "comment": step.comment.rstrip("。.；; \n"),
        "deadline": day(step.deadline) if step.deadline else "",
        "deadline_note": "（按周一至周五推算，以国务院公布的放假安排为准）" if estimated else "",
        "reentry": _reentry(machine, values, step.to_state),
    }  # fmt: skip
    if words["comment"]:
        words["comment"] += "。"
    return Facts(words, _inserts(step.situation["warnings"], step.situation["verdicts"]), on)


def of_stay(conn: Connection, document: Document, factory: Factory, today: date) -> Facts:
    """Return the facts of a stay in the pool as it is today; raises NotFound, or Declined."""
    stay = documents.membership(conn, document.membership_id or 0)
    if stay is None:
        raise NotFound(f"the stay of the document {document.document_id} is not there")
    if document.subject != stay_subject(stay):
        raise Declined("the membership has moved on since it was asked for; ask again")
    policy = settings.current(conn, today)
    items = evidence_items.listed(conn, stay.membership_id)
    words = _common(factory, stay, lifecycle.held(policy), stay.state) | _items(items) | {
        "today": day(today),
        "deadline": day(stay.deadline) if stay.deadline else "",
        "hearing_term": term(policy, "hearing.term"),
    }  # fmt: skip
    warned = [
        {
            "rule": each.rule,
            "subject": each.subject,
            "since": each.since.isoformat(),
            "numbers": each.numbers,
        }
        for each in memberships.open_warnings(conn, factory.factory_id)
    ]
    judged = {kpi: words for kpi, *words in memberships.verdicts(conn, factory.factory_id)}
    return Facts(words, _inserts(warned, judged), today)


def stay_subject(stay: Membership) -> str:
    """Return what a document about a stay is kept under: another one in each state."""
    return f"stay {stay.membership_id}.{stay.stage}"


def blank() -> dict[str, str]:
    """Return every fact as empty, so that a text may name any of them."""
    return dict.fromkeys(FACTS, "") | {"pool": POOL}


def term(policy: Policy, key: str) -> str:
    """Return a term of the policy as letters write it."""
    found: Term = policy.term(key)
    return f"{found.amount}{_UNITS[found.unit]}"


def named(factory: Factory) -> dict[str, str]:
    """Return how a factory, its enterprise and its county are called."""
    return {
        "enterprise": factory.enterprise_zh,
        "factory": factory.name_zh,
        "county": factory.region_zh,
    }


def _common(factory: Factory, stay: Membership, machine: Lifecycle, state: str) -> dict[str, str]:
    return (
        blank()
        | named(factory)
        | {"entered_on": day(stay.entered_on), "state": machine.states[state].name.zh}
    )


def _items(items: Sequence[StoredItem]) -> dict[str, str]:
    newest: Mapping[str, StoredItem] = {each.kind: each for each in items}
    found = {"heard": "你单位在规定期限内未提出陈述申辩。", "grounds": _grounds(items)}
    if check := newest.get("site_check"):
        found |= {
            "site_check_on": day(check.happened_on),
            "site_check_people": "、".join(check.people),
            "site_check_result": "合格" if check.data["passed"] else "不合格",
        }
    if grade := newest.get("review_grade"):
        found["grade"] = GRADES[grade.data["grade"]][0]
    if hearing := newest.get("hearing"):
        objected = "提出了异议" if hearing.data["objected"] else "未提出异议"
        found["heard"] = (
            f"{day(hearing.happened_on)}听取了你单位的陈述申辩，你单位{objected}，相关记录存卷。"
        )
    return found


def _grounds(items: Sequence[StoredItem]) -> str:
    said = []
    for each in items:
        failed = each.kind == "site_check" and not each.data["passed"]
        failed |= each.kind == "review_grade" and each.data["grade"] == "failed"
        if failed or each.kind in _GROUNDS:
            document = each.data.get("document")
            name = f"{evidence.kinds()[each.kind].zh}{'不合格' if failed else ''}"
            said.append(f"{day(each.happened_on)}{name}" + (f"（{document}）" if document else ""))
    return "；".join(said) + "。" if said else ""


def _step_name(machine: Lifecycle, step: Taken) -> str:
    found = machine.transitions.get(step.transition_id)
    return found.name.zh if found else step.transition_id


def _reentry(machine: Lifecycle, values: Mapping[str, Any], state: str) -> str:
    months = values.get(machine.reentry.get(state, ""))
    return f"{months}个月" if months else ""


def _inserts(
    warned: Sequence[Mapping[str, Any]], judged: Mapping[str, Sequence[str]]
) -> dict[str, list[Table]]:
    t = Texts("zh")
    found: dict[str, list[Table]] = {}
    if warned:
        rows = [_warning(number, each) for number, each in enumerate(warned, 1)]
        columns = (("序号", 1.1, "c"), ("事项", 3.6, "l"), ("起始日", 2.9, "c"), ("数据", 7, "l"))
        found["warnings"] = [table("预警事项", columns, rows)]
    known = sorted((kpi for kpi in judged if kpis.known(kpi)), key=kpis.place)
    if known:
        lines = [
            (
                kpis.by_id(kpi).name("zh"),
                t(f"fulfilment.{judged[kpi][0]}"),
                t(f"consistency.{judged[kpi][1]}"),
            )
            for kpi in known
        ]
        heads = (("指标", 4, "l"), ("兑现判定", 2, "c"), ("自报一致性", 2, "c"))
        found["verdicts"] = [table("指标判定", heads, lines)]
    return found


def _warning(number: int, warned: Mapping[str, Any]) -> tuple[str, str, str, str]:
    rule = warnings.rules().get(warned["rule"])
    name = rule.zh if rule else str(warned["rule"])
    said = warnings.retold(warned["rule"], warned["numbers"], "zh")
    return str(number), name, in_chinese(str(warned["since"])), in_chinese(said)
