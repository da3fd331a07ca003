"""How a person wants to be told beside the messages in the application."""

import re

from api.pool.errors import Declined
from api.pool.refused import refused
from store import Connection, messages, transaction
from store.acting import Actor
from store.audit import note
from store.messages import Contact

_PHONE = re.compile(r"\+?[0-9]{5,20}")


def save(conn: Connection, actor: Actor, wanted: Contact) -> Contact:
    """Set how the actor wants to be told; raises Declined for a number that is none.

    The number itself is not noted in the audit, only that there is one.
    """
    phone = re.sub(r"[\s-]", "", wanted.phone or "") or None
    if phone is not None and not _PHONE.fullmatch(phone):
        raise refused("mobile_form", Declined)
    if wanted.wants_sms and phone is None:
        raise refused("mobile_none", Declined)
    kept = Contact(phone, wanted.wants_email, wanted.wants_sms, wanted.wants_digest)
    assert actor.account_id is not None
    with transaction(conn):
        messages.save_contact(conn, actor.account_id, kept)
        after = {
            "has_phone": phone is not None,
            "wants_email": kept.wants_email,
            "wants_sms": kept.wants_sms,
            "wants_digest": kept.wants_digest,
        }
        note(conn, actor, "contact_set", kind="account", key=actor.account_id, after=after)
    return kept
