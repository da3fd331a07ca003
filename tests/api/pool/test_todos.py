"""To-dos: opened and closed by events, never doubled, recalled, raised, seen by whose they are."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest

from api.pool import lifecycle, tickets, todo_rules, todo_texts, todos, workdays
from api.pool.errors import BadTable
from api.pool.todos import Turn
from store import events, messages
from store import todos as stored
from store.acting import SYSTEM, acting
from store.todos import Todo
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import key_of_session, person


def turn(pooled: Pooled) -> Turn:
    """Let the machine follow what happened up to now."""
    return todos.turn(pooled.conn, now=pooled.now)


def seen(pooled: Pooled, role: str) -> list[Todo]:
    """What a person of a role finds on the list."""
    with pooled.as_(role):
        return stored.listed(pooled.conn)


def kinds(pooled: Pooled, role: str) -> list[str]:
    return [each.kind for each in seen(pooled, role)]


def told(pooled: Pooled, role: str) -> list[str]:
    """Templates of what a person of a role was told, oldest first."""
    with pooled.as_(role) as actor:
        assert actor.account_id is not None
        return [each.template for each in messages.listed(pooled.conn, actor.account_id)][::-1]


def test_a_warning_is_to_be_seen_to_by_the_enterprise_until_its_deadline(pooled: Pooled) -> None:
    pooled.person("ent_filler")
    pooled.warn()
    turn(pooled)
    (found,) = seen(pooled, "ent_filler")
    assert (found.kind, found.due) == ("remove_cause", pooled.membership().deadline)
    assert "数据完整率 71 %" in todo_texts.todo(found.kind, "zh", found.names)
    assert told(pooled, "ent_filler") == ["opened", "told.moved"]
    assert kinds(pooled, "city_officer") == ["decide_warning"]
    assert kinds(pooled, "county_officer") == []


def test_a_to_do_closes_by_itself_when_its_cause_is_done(pooled: Pooled) -> None:
    pooled.warn()
    turn(pooled)
    pooled.end_warnings()
    pooled.move("county_officer", "clear_warning")
    done = turn(pooled)
    assert done.closed == 3
    assert kinds(pooled, "ent_filler") == kinds(pooled, "city_officer") == []


def test_a_repeated_turn_doubles_nothing(pooled: Pooled) -> None:
    pooled.person("ent_filler")
    pooled.warn()
    first = turn(pooled)
    assert (first.opened, first.events) == (3, 2)
    assert turn(pooled) == Turn()
    assert pooled.count("pool.todo WHERE closed_at IS NULL") == 3
    # Even where the cursor is lost: what waits stays the one that it is.
    pooled.conn.execute("UPDATE pool.event_reader SET cursor = 0")
    assert turn(pooled).opened == 0
    assert pooled.count("pool.todo") == 3


def test_a_deadline_is_recalled_and_raised_level_by_level_each_once(pooled: Pooled) -> None:
    for role in ("ent_filler", "county_officer", "city_officer", "city_leader"):
        pooled.person(role)
    pooled.warn()
    turn(pooled)
    due = pooled.membership().deadline
    assert due is not None
    log: dict[str, list[str]] = {}
    while workdays.today(pooled.now) < due + timedelta(days=20):
        pooled.later(days=1)
        before = {role: len(told(pooled, role)) for role in ("ent_filler", "county_officer")}
        turn(pooled)
        turn(pooled)
        day = str((workdays.today(pooled.now) - due).days)
        for role, count in before.items():
            if new := told(pooled, role)[count:]:
                log.setdefault(role, []).append(f"{day} {' '.join(new)}")
    assert log["ent_filler"] == ["-7 first", "-1 last"]
    assert log["county_officer"][0] == "1 raised"
    (county,) = seen(pooled, "county_officer")
    assert (county.kind, county.raised) == ("remove_cause", True)
    # The county let it pass too, and so it is the city's.
    assert {(each.kind, each.raised) for each in seen(pooled, "city_officer")} == {
        ("decide_warning", False), ("remove_cause", True),
    }  # fmt: skip
    assert "raised" in told(pooled, "city_leader")
    pooled.end_warnings()
    pooled.move("county_officer", "clear_warning")
    turn(pooled)
    assert pooled.count("pool.todo WHERE closed_at IS NULL") == 0


def test_a_turn_that_was_missed_still_raises_and_says_the_last_step_only(pooled: Pooled) -> None:
    pooled.person("ent_filler")
    pooled.warn()
    turn(pooled)
    pooled.later(days=60)
    assert turn(pooled).recalled == 0
    assert kinds(pooled, "county_officer") == ["remove_cause"]


def test_an_extended_deadline_moves_the_to_do_and_is_recalled_anew(pooled: Pooled) -> None:
    pooled.person("ent_approver")
    happened = {"to": "rectify", "transition": "order_rectification", "comment": "期满未消除"}
    for day in ("2026-04-01", "2026-05-01"):
        events.happened(
            pooled.conn, SYSTEM, pooled.factory_id, "moved", happened | {"deadline": day},
            pooled.now,
        )  # fmt: skip
        pooled.now = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=3)
        turn(pooled)
    (found,) = seen(pooled, "ent_approver")
    assert found.due == date(2026, 5, 1)
    assert told(pooled, "ent_approver").count("first") == 2


def test_who_confirms_a_request_has_it_to_do_until_it_is_decided(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave", "企业战略调整")
    turn(pooled)
    (found,) = seen(pooled, "city_leader")
    assert found.kind == "confirm_request"
    assert (
        todo_texts.todo(found.kind, "zh", found.names) == "确认或退回申请：主动退出；企业战略调整"
    )
    assert found.due == workdays.add_workdays(workdays.today(pooled.now), 5).on
    pooled.decide("city_leader", False, "请补充说明")
    turn(pooled)
    assert seen(pooled, "city_leader") == []
    assert told(pooled, "ent_approver") == ["told.request_declined"]


def test_a_proposal_falls_to_whoever_may_take_its_step(pooled: Pooled) -> None:
    payload = {
        "rule": "review_due", "subject": "", "steps": ["start_review"],
        "said": {"zh": "已满 24 个月", "en": "24 months have passed"},
    }  # fmt: skip
    for kind in ("step_proposed", "proposal_ended"):
        events.happened(pooled.conn, SYSTEM, pooled.factory_id, kind, payload, pooled.now)
        turn(pooled)
        expected = ["decide_proposal"] if kind == "step_proposed" else []
        assert kinds(pooled, "city_officer") == expected
        assert kinds(pooled, "city_leader") == kinds(pooled, "ent_filler") == []


def test_a_report_goes_from_desk_to_desk(pooled: Pooled) -> None:
    payload = {"report_id": 7, "kind": "Q", "period_start": "2026-01-01", "deadline": "2026-04-15"}
    desks = {
        "report_opened": "ent_filler",
        "report_hand_over": "ent_approver",
        "report_submit": "county_officer",
        "report_county_return": "ent_filler",
        "report_county_pass": "city_officer",
        "report_lock": None,
    }
    for event, desk in desks.items():
        if event == "report_county_pass":
            events.happened(
                pooled.conn, SYSTEM, pooled.factory_id, "report_submit", payload, pooled.now
            )
        events.happened(pooled.conn, SYSTEM, pooled.factory_id, event, payload, pooled.now)
        turn(pooled)
        roles = ("ent_filler", "ent_approver", "county_officer", "city_officer")
        assert [role for role in roles if seen(pooled, role)] == ([desk] if desk else []), event


def test_who_left_the_pool_has_no_report_to_do(pooled: Pooled) -> None:
    payload = {"report_id": 7, "kind": "Q", "period_start": "2026-01-01", "deadline": "2026-04-15"}
    events.happened(pooled.conn, SYSTEM, pooled.factory_id, "report_opened", payload, pooled.now)
    turn(pooled)
    assert kinds(pooled, "ent_filler") == ["fill_report"]
    pooled.move("ent_approver", "leave", "企业战略调整")
    pooled.decide("city_leader", True)
    turn(pooled)
    assert pooled.count("pool.todo WHERE closed_at IS NULL") == 0


def test_who_is_told_of_a_removal_may_answer_and_who_decides_hears_of_it(pooled: Pooled) -> None:
    pooled.record("city_officer", "removal_notice")
    turn(pooled)
    (answer,) = seen(pooled, "ent_approver")
    assert answer.kind == "answer_removal"
    assert answer.due == workdays.add_workdays(workdays.today(pooled.now), 5).on
    assert kinds(pooled, "city_leader") == []
    pooled.record("ent_approver", "statement")
    turn(pooled)
    assert kinds(pooled, "ent_filler") == []
    assert kinds(pooled, "county_officer") == ["hold_hearing"]
    pooled.record("county_officer", "hearing", objected=True)
    turn(pooled)
    assert kinds(pooled, "county_officer") == []
    assert kinds(pooled, "city_leader") == ["decide_removal"]


def test_a_document_that_failed_falls_to_who_asked_until_it_is_made(pooled: Pooled) -> None:
    payload = {
        "kind": "rectification_order", "subject": "step 3", "falls_to": ["city_officer"],
        "said": {"zh": "整改通知书", "en": "Rectification order"}, "error": "timeout: 180 s",
    }  # fmt: skip
    for event, subject, left in (
        ("document_failed", "step 3", 1), ("document_made", "step 2", 1),
        ("document_made", "step 3", 0),
    ):  # fmt: skip
        told = payload | {"subject": subject, "title": "整改通知书", "version": 1}
        events.happened(pooled.conn, SYSTEM, pooled.factory_id, event, told, pooled.now)
        turn(pooled)
        found = seen(pooled, "city_officer")
        assert len(found) == left, event
        assert seen(pooled, "city_leader") == []
        for each in found:
            said = todo_texts.todo(each.kind, "zh", each.names)
            assert said == "文书“整改通知书”生成失败（timeout: 180 s），请处理后重新生成"


def test_another_county_and_another_role_see_none_of_it(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave", "企业战略调整")
    with pooled.as_("ent_filler") as actor:
        tickets.ask(
            pooled.conn, actor, pooled.factory_id,
            subject="网络中断", text="请协调", level="county", now=pooled.now,
        )  # fmt: skip
    turn(pooled)
    assert kinds(pooled, "county_officer") == ["answer_ticket_county"]
    assert kinds(pooled, "county_leader") == kinds(pooled, "city_officer") == []
    other = person(pooled.conn, "county_officer", region=OTHER_COUNTY)
    with acting(pooled.conn, key_of_session(pooled.conn, other)):
        assert stored.listed(pooled.conn) == []
        assert pooled.count("pool.todo") == pooled.count("pool.message") == 0


def test_the_list_goes_on_behind_the_last_one_shown(pooled: Pooled) -> None:
    for number in range(5):
        payload = {"ticket": number, "subject": "示例", "level": "county", "deadline": "2026-04-01"}
        if number == 4:
            payload["deadline"] = None  # the last place is without a deadline
        events.happened(
            pooled.conn, SYSTEM, pooled.factory_id, "ticket_opened", payload, pooled.now
        )
    turn(pooled)
    with pooled.as_("county_officer"):
        found: list[Todo] = []
        while page := stored.listed(
            pooled.conn, most=2, after=(found[-1].due, found[-1].todo_id) if found else None
        ):
            found += page
    assert [each.object for each in found] == ["0", "1", "2", "3", "4"]


def test_every_step_of_the_lifecycle_leaves_only_to_dos_of_its_own_state() -> None:
    """A to-do of a state that was left would never be done: each move closes it."""
    rules, machine = todo_rules.shipped(), lifecycle.shipped()
    opened = {
        state: {name for rule in rules.following("moved", {"to": state}) for name in rule.open}
        for state in machine.states
    }
    assert opened["watch"] == {"remove_cause", "decide_warning"}
    for each in machine.transitions.values():
        closed = {name for rule in rules.following("moved", {"to": each.to}) for name in rule.close}
        for source in each.sources:
            if source != each.to:
                assert opened[source] <= closed, each.transition_id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('roles = ["city_officer"]', 'roles = ["mayor"]'), "the role mayor"),
        (('open = ["rectify"]', 'open = ["party"]'), "the kind party"),
        (('term = "todo.check"', 'term = "todo.never"'), "no key todo.never"),
        (('city_officer = "city_leader"', 'city_officer = "county_officer"'), "circle"),
        (("[kind.review]", "[kind.reviews]"), "todo.reviews"),
        (('sms = ["last"', 'pigeon = ["last"'), "no channel pigeon"),
        (("then = ", "thenn = "), "no field thenn"),
    ],
)
def test_a_table_that_names_what_there_is_not_is_refused(
    change: tuple[str, str], said: str
) -> None:
    text = files("api.pool").joinpath("todos.toml").read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(BadTable, match=said):
        todo_rules.read(text.replace(*change))


def test_a_message_of_an_older_template_still_has_a_text() -> None:
    assert "—" in todo_texts.message("raised", "zh", "示例工厂", {"zh": {}, "en": {}})
    assert todo_texts.message("gone", "zh", "示例工厂", {}) == "message.gone"
