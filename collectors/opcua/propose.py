"""Which nodes of a server become tags: those of known specifications, or those a pattern names."""

from collectors.opcua.address_space import AddressSpace, Node
from collectors.opcua.companion.recognise import plain_name, recognise, unused_name
from collectors.opcua.companion.units import unit_of
from collectors.proposal import PROCESS, SINGLE_ROLES, Asset, Proposal, ProposedTag, role_by_unit


def propose(space: AddressSpace, pattern: str | None = None) -> list[Proposal]:
    """Return the machines that were recognised; with a pattern, the nodes that match it alone.

    Matching nodes of a recognised machine keep their roles. The other ones that hold a number
    become tags of the object above them.
    """
    found = recognise(space)
    if pattern is None:
        return found
    matching = {node.address: node for node in space.matching(pattern)}
    kept = []
    for each in found:
        tags = tuple(tag for tag in each.tags if tag.keys["node"] in matching)
        if tags:
            kept.append(Proposal(each.asset, tags, each.notes))
    known = {str(tag.keys["node"]) for each in kept for tag in each.tags}
    rest = [node for address, node in matching.items() if address not in known]
    return kept + _plain(space, rest, {each.asset.code for each in kept})


def _plain(space: AddressSpace, nodes: list[Node], codes: set[str]) -> list[Proposal]:
    by_parent: dict[str, list[Node]] = {}
    for node in nodes:
        if node.is_variable and node.is_number:
            by_parent.setdefault(node.parent or "", []).append(node)
    found = []
    for parent, below in by_parent.items():
        owner = space.nodes.get(parent)
        name = owner.name.text if owner is not None else "Objects"
        path = "/".join(space.path(owner)) if owner is not None else ""
        code = unused_name(codes, plain_name(name))
        asset = Asset(code, name, "machine", path)
        found.append(Proposal(asset, tuple(_plain_tags(code, below))))
    return found


def _plain_tags(code: str, nodes: list[Node]) -> list[ProposedTag]:
    names: set[str] = set()
    tags: list[ProposedTag] = []
    for node in nodes:
        unit = unit_of(node.unit_id, node.unit)
        about = (
            "" if unit is not None else f"in {node.unit or node.unit_id}, which has no name here"
        )
        role = role_by_unit(unit or "1")
        if role in SINGLE_ROLES and role in {tag.role for tag in tags}:
            role = PROCESS
        name = unused_name(names, f"{code}.{plain_name(node.name.text)}")
        keys = {"node": node.address}
        tags.append(ProposedTag(name, role, unit or "1", keys, None, about, node.value))
    return tags
