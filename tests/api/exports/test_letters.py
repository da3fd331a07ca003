"""Letters that the steps of a membership make, opened again as DOCX and as PDF."""

import pytest

import store
import store.registry
from api.exports import letter, register
from api.exports.kinds import kinds
from api.pool import lifecycle, membership, settings, workdays
from api.pool.errors import BadTable, NotAllowed, NotPossible
from api.pool.lifecycle import Transition, shipped
from store import documents, events, warnings
from store.acting import Actor
from store.warnings import Given
from tests.api.exports.made import file_of, make_all
from tests.api.exports.opened import open_docx, open_pdf, squeezed
from tests.api.pool.pooled import Pooled
from tests.api.pool.rectifying import PEOPLE, pass_rectification, to_rectification
from tests.store.people import person

OFFICER = Actor(None, "示例经办", "city_officer")


def ask(pooled: Pooled, kind: str, actor: Actor = OFFICER, number: str = "") -> int:
    factory = store.registry.factory_by_code(pooled.conn, "sample")
    return register.ask(
        pooled.conn, actor, factory, kind, now=pooled.now, number=number
    ).document_id


def removed(pooled: Pooled) -> None:
    """Let a factory be told, heard and removed."""
    to_rectification(pooled)
    pooled.record("county_officer", "site_check", people=PEOPLE, passed=False)
    ask(pooled, "removal_notice")
    make_all(pooled)
    pooled.record("city_officer", "removal_notice")
    pooled.record("county_officer", "hearing", objected=True)
    pooled.move("city_leader", "fail_rectification", "现场核查不合格")


def test_every_step_makes_its_letters_once(pooled: Pooled) -> None:
    to_rectification(pooled)
    assert register.ask_for_steps(pooled.conn, pooled.now) == 2
    assert register.ask_for_steps(pooled.conn, pooled.now) == 0
    made = make_all(pooled)
    assert set(made) == {"warning_notice", "rectification_order"}
    assert {each.state for each in made.values()} == {"done"}
    assert {each.role for each in made.values()} == {"system", "city_officer"}
    told = [e for e in events.since(pooled.conn, 0) if e.kind == "document_made"]
    assert [each.payload["version"] for each in told] == [1, 1]


def test_both_files_of_an_order_say_the_same_and_what_was_decided(pooled: Pooled) -> None:
    to_rectification(pooled)
    order = make_all(pooled)["rectification_order"]
    pdf = open_pdf(file_of(pooled.conn, order, "pdf"))
    word = open_docx(file_of(pooled.conn, order, "docx"))
    for said in (
        "整改通知书", "示例企业sample：", "期满未消除。", "至2026年7月2日24时止", "崇川区",
        "南通市工业和信息化局", "2026年4月2日", "数据完整率不足",
    ):  # fmt: skip
        assert said in pdf.text, said
        assert said in word.text, said
    assert len(pdf.pages) in (1, 2)
    assert pdf.fonts
    assert all(pdf.fonts.values()), "every font is embedded"
    assert any("CJK" in name for name in pdf.fonts)


def test_a_letter_writes_days_in_chinese_and_a_period_by_its_last_day(pooled: Pooled) -> None:
    numbers = {
        "rule": "P09", "count": 3, "findings": [1], "period_start": "2026-01-01",
        "period_end": "2026-02-01",
    }  # fmt: skip
    policy = settings.current(pooled.conn, workdays.today(pooled.now))
    settings.kept(pooled.conn, policy)
    since = workdays.today(pooled.now)
    given = Given(pooled.factory_id, "implausible", "P09", since, numbers)
    warnings.fire(pooled.conn, given, policy.policy_id, pooled.now)
    pooled.move("system", "warn", "P09")
    notice = make_all(pooled)["warning_notice"]
    (table,) = open_docx(file_of(pooled.conn, notice, "docx")).tables
    assert table[1] == [
        "1", "数据合理性校验不通过", "2026年3月2日",
        "P09 重复日曲线 不通过 3 项（2026年1月1日至2026年1月31日）",
    ]  # fmt: skip
    text = open_pdf(file_of(pooled.conn, notice, "pdf")).text
    assert "说明：" not in text, "the table says it already"
    assert squeezed(table[1][3]) in text


def test_an_opinion_on_a_review_speaks_of_verdicts_only_where_there_are_some(
    pooled: Pooled,
) -> None:
    pooled.record("county_officer", "complaint")
    pooled.move("city_officer", "start_review")
    pooled.record("county_officer", "review_grade", grade="good")
    pooled.move("city_leader", "pass_review", "各项指标保持良好")
    opinion = make_all(pooled)["review_opinion"]
    text = open_docx(file_of(pooled.conn, opinion, "docx")).text
    assert "二、复核意见：各项指标保持良好。三、处理结果" in text
    assert "指标判定" not in text


def test_a_letter_has_the_margins_and_the_fonts_of_an_official_one(pooled: Pooled) -> None:
    pooled.warn()
    notice = make_all(pooled)["warning_notice"]
    word = open_docx(file_of(pooled.conn, notice, "docx"))
    assert word.margins_mm == (37, 35, 28, 26)
    assert {"方正小标宋简体", "仿宋_GB2312"} <= word.fonts


def test_the_foot_says_who_when_which_version_and_the_contents_hash(pooled: Pooled) -> None:
    to_rectification(pooled)
    order = make_all(pooled)["rectification_order"]
    assert order.content_sha256 is not None
    pdf = open_pdf(file_of(pooled.conn, order, "pdf"))
    foot = open_docx(file_of(pooled.conn, order, "docx")).foot
    for page in (*pdf.pages, foot):
        assert order.content_sha256 in page
        assert f"编制：{squeezed(order.actor)}" in page
        assert "第1版" in page
        assert "2026-04-02" in page


def test_the_register_knows_its_files_and_no_changed_one(pooled: Pooled) -> None:
    pooled.warn()
    notice = make_all(pooled)["warning_notice"]
    for form in ("pdf", "docx"):
        content = file_of(pooled.conn, notice, form)
        found = register.check(pooled.conn, content)
        assert [each.document_id for each in found.documents] == [notice.document_id]
        assert register.check(pooled.conn, content + b" ").documents == ()


def test_a_removal_is_told_before_and_decided_with_what_was_heard(pooled: Pooled) -> None:
    removed(pooled)
    made = make_all(pooled)
    notice = open_pdf(file_of(pooled.conn, made["removal_notice"], "pdf"))
    assert "2026年4月2日现场核查不合格。" in notice.text
    assert "5个工作日内提出书面陈述和申辩" in notice.text
    assert "“限期整改”" in notice.text
    decision = open_pdf(file_of(pooled.conn, made["removal_decision"], "pdf"))
    assert "一、事实与依据：现场核查不合格。" in decision.text
    assert "你单位提出了异议" in decision.text
    assert "24个月内不得再次申请入库" in decision.text
    assert "“不合格出库”" in decision.text


def test_an_opinion_names_the_check_and_who_made_it(pooled: Pooled) -> None:
    to_rectification(pooled)
    pass_rectification(pooled)
    opinion = make_all(pooled)["rectification_opinion"]
    text = open_docx(file_of(pooled.conn, opinion, "docx")).text
    assert "示例甲、示例乙对你单位进行了现场核查，结论为合格" in text
    assert "二、处理结果" in text, "points are numbered as they come: there was no comment"


def test_a_letter_that_is_asked_for_again_is_its_next_version(pooled: Pooled) -> None:
    pooled.warn()
    first = make_all(pooled)["warning_notice"]
    ask(pooled, "warning_notice", number="通工信〔2026〕8号")
    second = make_all(pooled)["warning_notice"]
    assert (first.version, second.version) == (1, 2)
    assert second.content_sha256 != first.content_sha256
    assert "通工信〔2026〕8号" in open_pdf(file_of(pooled.conn, second, "pdf")).text


def test_two_of_the_same_are_never_made_at_once(pooled: Pooled) -> None:
    pooled.warn()
    ask(pooled, "warning_notice")
    with pytest.raises(NotPossible, match="being made already"):
        ask(pooled, "warning_notice")
    assert register.ask_for_steps(pooled.conn, pooled.now) == 0


def test_a_letter_is_asked_for_by_its_roles_when_something_made_it_due(pooled: Pooled) -> None:
    with pytest.raises(NotPossible, match="no step"):
        ask(pooled, "rectification_order")
    with pytest.raises(NotAllowed, match="your role does not ask for it"):
        ask(pooled, "removal_notice", Actor(None, "示例", "county_officer"))


def test_people_ask_in_their_own_name_and_scope_in_the_database(pooled: Pooled) -> None:
    pooled.warn()
    with pooled.as_("city_officer") as actor:
        ask(pooled, "warning_notice", actor)
    with pooled.as_("county_officer"):
        assert len(documents.listed(pooled.conn, pooled.factory_id)) == 1
    with pooled.as_("ent_approver"):
        assert len(documents.listed(pooled.conn, pooled.factory_id)) == 1
    with pooled.as_("sysadmin"):
        assert documents.listed(pooled.conn, pooled.factory_id) == []


def test_a_notice_about_a_state_that_is_over_is_not_made(pooled: Pooled) -> None:
    to_rectification(pooled)
    make_all(pooled)
    asked = ask(pooled, "removal_notice")
    pass_rectification(pooled)
    with pytest.raises(Exception, match="has moved on"):
        make_all(pooled)
    found = documents.get(pooled.conn, asked)
    assert found is not None
    assert found.made_at is None


# What others write: the enterprise, whoever holds a hearing, and those who recommend it.
OTHERS_WRITE = {
    "rectification_report", "hearing_record", "change_report", "exit_application",
    "qualification_form", "nomination_summary", "nomination_letter",
}  # fmt: skip
# What is made before the step, when it is handed over.
HANDED_OVER = {"removal_notice"}


def way_to(state: str) -> list[Transition]:
    """Return steps from the initial state to another."""
    ways: dict[str, list[Transition]] = {shipped().initial: []}
    while state not in ways:
        for each in shipped().transitions.values():
            for source in set(each.sources) & ways.keys():
                ways.setdefault(each.to, [*ways[source], each])
    return ways[state]


def take(pooled: Pooled, step: Transition) -> None:
    """Take a step with a comment, confirmed where that is asked for."""
    by, version = Actor(None, "示例甲", step.who[0]), pooled.membership().version
    pooled.later(hours=1)
    with store.transaction(pooled.conn):
        membership.move(
            pooled.conn, by, pooled.factory_id, step.transition_id,
            version=version, comment="示例", now=pooled.now,
        )  # fmt: skip
        if step.confirmed_by:
            membership.decide(
                pooled.conn, person(pooled.conn, "city_leader"), pooled.factory_id,
                version=version, confirmed=True, comment="同意", now=pooled.now,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "source"),
    [(each, source) for each in shipped().transitions.values() for source in each.sources],
    ids=lambda given: given if isinstance(given, str) else given.transition_id,
)
def test_each_step_makes_each_of_its_letters_exactly_once(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch, step: Transition, source: str
) -> None:
    # Who may take a step and when is tested for itself.
    monkeypatch.setattr(lifecycle, "why_not", lambda *_, **__: ())
    for before in way_to(source):
        take(pooled, before)
    register.ask_for_steps(pooled.conn, pooled.now)
    known = len(documents.listed(pooled.conn, pooled.factory_id))
    take(pooled, step)
    expected = [each for each in step.documents if each not in OTHERS_WRITE | HANDED_OVER]
    assert register.ask_for_steps(pooled.conn, pooled.now) == len(expected)
    assert register.ask_for_steps(pooled.conn, pooled.now) == 0
    asked = documents.listed(pooled.conn, pooled.factory_id)
    assert sorted(each.kind for each in asked[: len(asked) - known]) == sorted(expected)
    assert set(expected) <= kinds().keys()


def test_a_notice_that_was_handed_over_is_there_even_if_nobody_asked_for_it(
    pooled: Pooled,
) -> None:
    to_rectification(pooled)
    make_all(pooled)
    pooled.record("city_officer", "removal_notice")
    assert register.ask_for_steps(pooled.conn, pooled.now) == 1
    made = make_all(pooled)["removal_notice"]
    assert (made.state, made.role) == ("done", "city_officer")
    pooled.record("city_officer", "removal_notice")
    assert register.ask_for_steps(pooled.conn, pooled.now) == 0, "handed over once more"


def test_a_notice_that_was_asked_for_is_not_made_again_when_it_is_handed_over(
    pooled: Pooled,
) -> None:
    removed(pooled)
    assert register.ask_for_steps(pooled.conn, pooled.now) == 1
    asked = [each.kind for each in documents.listed(pooled.conn, pooled.factory_id)]
    assert asked.count("removal_notice") == asked.count("removal_decision") == 1


def test_every_kind_has_a_text_and_every_letter_of_a_step_a_step() -> None:
    for kind in kinds():
        assert letter.shipped(kind).parts, kind
    made = {name for each in shipped().transitions.values() for name in each.documents}
    assert {each.kind for each in kinds().values() if each.about == "step"} <= made


HEAD = 'version = "1"\ntitle = "题"\nissuer = "示例局"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "no TOML"),
        (HEAD, "lacks block"),
        (HEAD + 'sub = "x"\n[[block]]\ntext = "x"', "sub is no key"),
        (HEAD + '[[block]]\ntext = "{secret}"', "{secret} is no fact"),
        (HEAD + '[[block]]\ntext = "{factory.__class__}"', "is no fact"),
        (HEAD + '[[block]]\ntext = "{factory!r}"', "is no fact"),
        (HEAD + '[[block]]\ntext = "{"', "a brace itself is written twice"),
        (HEAD + '[[block]]\ninsert = "passwords"', "passwords cannot be put in"),
        (HEAD + '[[block]]\ntext = "x"\nheading = "y"', "block 1 has one of"),
        (HEAD + '[[block]]\ntext = "x"\nwhen = "moon"', "there is no fact moon"),
        (HEAD + "[[block]]\ntext = 3", "must be a text"),
        (HEAD + '[[block]]\npoint = "x"\n' * 11, "10 points"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(BadTable) as refusal:
        letter.read(text)
    assert said in str(refusal.value)
