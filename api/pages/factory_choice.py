"""The filter by factory: one way for every list, by name among those in the reader's scope."""

import store.registry
from api.messages import Texts
from api.pages.lists import Field, select, words
from store import Connection

# Beyond this a person types the code rather than looking through the names.
MOST_NAMED = 300


def factory_field(t: Texts, conn: Connection, value: str) -> Field:
    """Return the filter; who sees no factory, as an auditor, or very many types its code."""
    found = store.registry.factories(conn)
    if not 0 < len(found) <= MOST_NAMED:
        return words("factory", t("list.factory_code"), value)
    named = {each.code: f"{t.pick(each.name_zh, each.name_en)} {each.code}" for each in found}
    if value:  # what is filtered by stays in view, whether it is in scope or not
        named.setdefault(value, value)
    return select(t, "factory", t("list.factory"), value, named.items())
