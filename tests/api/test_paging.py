from api.paging import cut


def test_what_fits_has_no_other_part() -> None:
    assert cut(["a", "b"], 2, str.upper) == (["a", "b"], None)


def test_the_other_part_begins_behind_the_last_that_is_shown() -> None:
    assert cut(["a", "b", "c"], 2, str.upper) == (["a", "b"], "B")


def test_nothing_found_is_one_empty_part() -> None:
    assert cut([], 2, str) == ([], None)
