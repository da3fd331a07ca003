"""When an edge node may be asked for its births."""

from collectors.sparkplug.rebirth import RebirthDesk
from collectors.sparkplug.topics import Node

A, B = Node("G", "A"), Node("G", "B")


def test_nobody_is_asked_by_default() -> None:
    desk = RebirthDesk(is_allowed=False, every_s=60)
    desk.want([A, B])
    assert [desk.due(now_s) for now_s in (0.0, 100.0)] == [None, None]


def test_a_node_is_asked_once_in_a_while_and_no_two_at_once() -> None:
    desk = RebirthDesk(is_allowed=True, every_s=60)
    desk.want([A, B, A])
    assert desk.due(0.0) == A
    assert desk.due(0.5) is None
    assert desk.due(1.0) == B
    assert desk.due(2.0) is None
    desk.want([A])
    assert desk.due(59.0) is None
    assert desk.due(60.0) == A
    assert desk.due(1000.0) is None


def test_whoever_waits_does_not_hold_up_the_others() -> None:
    desk = RebirthDesk(is_allowed=True, every_s=60)
    desk.want([A])
    assert desk.due(0.0) == A
    desk.want([A, B])
    assert desk.due(5.0) == B


def test_a_storm_of_wishes_is_bounded() -> None:
    desk = RebirthDesk(is_allowed=True, every_s=1)
    desk.want([Node("G", str(number)) for number in range(20_000)])
    asked = 0
    while desk.due(float(asked)) is not None:
        asked += 1
    assert asked == 5000
