"""Deliveries: signed, in order, again until they arrive, and to nowhere that is not meant."""

import ipaddress
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import store
from api.webhooks.delivery import deliver, delivering
from api.webhooks.rules import DeliveryRules
from store import accounts, webhooks
from store.acting import acting
from tests.api.pool.pooled import OTHER_COUNTY
from tests.api.webhooks.conftest import Post
from tests.api.webhooks.receiver import Receiver, receiving
from tests.store.people import MAKER
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.waiting import wait_for


def address(receiver: Receiver, path: str = "/hook?from=millpond") -> str:
    return f"http://127.0.0.1:{receiver.port}{path}"


def test_what_happens_arrives_once_and_signed(post: Post, receiver: Receiver) -> None:
    number, secret = post.subscribe(address(receiver))
    cursors = post.happen(2)
    assert post.turn() == 1
    assert receiver.cursors == [cursors]
    assert receiver.body()["items"][0]["what"] == "moved"
    assert receiver.body()["next_cursor"] == cursors[-1]
    assert receiver.verifies(secret)
    assert not receiver.verifies(secret + "x")
    assert post.state(number).cursor == cursors[-1]
    assert post.turn() == 0
    headers = receiver.came[0][0]
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["millpond-delivery"].startswith(f"{number}-")


def test_500_then_fine_brings_the_same_part_again_and_then_the_next(
    post: Post, receiver: Receiver
) -> None:
    number, _ = post.subscribe(address(receiver))
    first = post.happen()
    receiver.answers = [500]
    post.turn()
    failed = post.state(number)
    assert (failed.attempts, failed.last_fault) == (1, "answered 500")
    later = post.happen()
    post.turn()
    post.turn()
    assert receiver.cursors == [first, first, later]
    one, again = (headers["millpond-delivery"] for headers, _ in receiver.came[:2])
    assert one == again
    assert receiver.came[0][1] == receiver.came[1][1]
    assert post.state(number).last_fault is None


def test_one_that_is_down_is_waited_for_and_holds_up_nobody_else(
    post: Post, receiver: Receiver
) -> None:
    post.rules = replace(post.rules, waits_s=(3600.0,))
    down, _ = post.subscribe(f"http://127.0.0.1:{free_port()}/")
    post.subscribe(address(receiver))
    cursors = post.happen()
    assert post.turn() == 2
    assert receiver.cursors == [cursors]
    assert "ConnectError" in str(post.state(down).last_fault)
    assert post.turn() == 0, "before the wait is over it is left alone"


def test_a_slow_one_is_cut_off(post: Post, receiver: Receiver) -> None:
    kept = post.rules
    post.rules = replace(kept, within_s=0.5)
    number, _ = post.subscribe(address(receiver))
    post.happen()
    receiver.answers = [0]
    post.turn()
    assert post.state(number).last_fault == "no answer within 0.5 s"
    # Its thread may note it after the sender has given up.
    wait_for(lambda: len(receiver.came) == 1, "the first delivery")
    post.rules = kept
    post.turn()
    assert len(receiver.came) == 2


def test_after_the_last_wait_a_part_is_a_dead_letter_and_can_be_sent_again(
    post: Post, receiver: Receiver
) -> None:
    number, secret = post.subscribe(address(receiver))
    first = post.happen()
    receiver.answers = [500, 502, 503]
    for _ in range(3):
        post.turn()
    (letter,) = post.dead(number)
    assert (letter.attempts, letter.fault) == (3, "answered 503")
    assert (letter.through, letter.delivered_at) == (first[-1], None)
    later = post.happen()
    post.turn()
    assert receiver.cursors == [first, first, first, later], "the next part goes on"
    with acting(post.conn, post.keys[number]):
        webhooks.send_again(post.conn, number, letter.letter_id)
    receiver.answers = [500]
    post.turn()
    assert post.dead(number)[0].fault == "answered 500"
    assert post.turn() == 0, "by hand is once"
    with acting(post.conn, post.keys[number]):
        webhooks.send_again(post.conn, number, letter.letter_id)
    post.turn()
    assert receiver.cursors[-1] == first
    assert receiver.verifies(secret)
    assert post.dead(number)[0].delivered_at is not None


def test_redirects_are_not_followed(post: Post, receiver: Receiver) -> None:
    number, _ = post.subscribe(address(receiver))
    post.happen()
    receiver.answers = [307]
    post.turn()
    assert post.state(number).last_fault == "answered 307: redirects are not followed"
    assert len(receiver.came) == 1


def test_only_what_the_officer_sees_and_wants_is_sent(post: Post, receiver: Receiver) -> None:
    ours, _ = post.subscribe(address(receiver, "/ours"), role="county_officer")
    other, _ = post.subscribe(
        address(receiver, "/other"), role="county_officer", region=OTHER_COUNTY
    )
    unheard, _ = post.subscribe(address(receiver, "/kinds"), kinds=["figure"])
    cursors = post.happen()
    assert post.turn() == 1
    assert receiver.cursors == [cursors]
    for number in (ours, other, unheard):
        assert post.state(number).cursor == cursors[-1], "what is not for it is passed over"


def test_a_shut_account_gets_nothing_until_it_is_opened(post: Post, receiver: Receiver) -> None:
    number, _ = post.subscribe(address(receiver))
    owner = post.state(number).account_id
    cursors = post.happen()
    for disabled in (True, False):
        found = accounts.account(post.conn, owner)
        accounts.set_disabled(post.conn, MAKER, owner, disabled=disabled, version=found.version)
        assert post.turn() == (0 if disabled else 1)
    assert receiver.cursors == [cursors]


def test_an_ended_subscription_gets_nothing(post: Post, receiver: Receiver) -> None:
    number, _ = post.subscribe(address(receiver))
    with acting(post.conn, post.keys[number]):
        assert webhooks.end(post.conn, number)
    post.happen()
    assert post.turn() == 0
    assert receiver.came == []


def test_over_tls_the_certificate_must_be_of_the_name(post: Post, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with receiving(authority.issue("receiver")) as receiver:
        number, secret = post.subscribe(f"https://localhost:{receiver.port}/hook")
        cursors = post.happen()
        post.turn()
        assert "CERTIFICATE_VERIFY_FAILED" in str(post.state(number).last_fault)
        assert receiver.came == []
        post.rules = replace(post.rules, ca=str(authority.certificate))
        post.turn()
        assert receiver.cursors == [cursors]
        assert receiver.verifies(secret)


def test_a_large_part_is_cut_into_bounded_ones(post: Post, receiver: Receiver) -> None:
    post.rules = replace(post.rules, most_entries=2)
    post.subscribe(address(receiver))
    cursors = post.happen(5)
    while post.turn():
        pass
    assert receiver.cursors == [cursors[:2], cursors[2:4], cursors[4:]]


def test_the_worker_delivers_by_itself_and_one_at_a_time(
    post: Post, receiver: Receiver, database_url: str
) -> None:
    post.subscribe(address(receiver))
    with delivering(database_url, post.rules), delivering(database_url, post.rules):
        cursors = post.happen(3)
        wait_for(lambda: [*chain(*receiver.cursors)] == cursors, "the deliveries")
        with closing(store.connect(database_url)) as another:
            assert not webhooks.take_deliveries(another)


_INTERNAL = [
    *(
        "http://127.0.0.1:{}/",
        "https://127.0.0.1:{}/",
        "https://localhost:{}/",
        "https://[::1]:{}/",
    ),
    *("https://[::ffff:127.0.0.1]:{}/", "https://[64:ff9b::7f00:1]:{}/", "https://0.0.0.0:{}/"),
    *("https://[2002:7f00:1::]:{}/", "https://2130706433:{}/", "https://0x7f.1:{}/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://[fd00::1]/"),
    *(
        "https://169.254.169.254/latest",
        "https://100.64.0.1/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
    ),
    *("https://224.0.0.1/", "https://[ff02::1]/"),
]


def test_nothing_goes_into_a_network_that_nobody_named(post: Post, receiver: Receiver) -> None:
    rules = DeliveryRules(waits_s=(3600.0,), within_s=20.0, most_at_once=len(_INTERNAL))
    numbers = {url: post.subscribe(url.format(receiver.port))[0] for url in _INTERNAL}
    post.happen()
    assert deliver(post.conn, rules) == len(_INTERNAL)
    for url, number in numbers.items():
        assert "network of its own" in str(post.state(number).last_fault), url
    assert receiver.came == []


def test_plain_http_goes_to_this_machine_alone(post: Post) -> None:
    rules = replace(post.rules, networks=(ipaddress.ip_network("10.0.0.0/8"),))
    number, _ = post.subscribe("http://10.0.0.1/")
    post.happen()
    deliver(post.conn, rules)
    assert post.state(number).last_fault == "deliveries go by https only"
