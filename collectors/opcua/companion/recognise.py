"""From an address space to machines with their tags, by the specifications they follow. Pure.

A machine stands in the Machines folder of OPC 40001-1, or is an object of a type that stands for
a whole machine. What belongs to it is found by type below it, so that a vendor's own subtypes and
its own folders in between make no difference.
"""

from collections.abc import Iterator, Sequence

from collectors.opcua.address_space import AddressSpace, Name, Node
from collectors.opcua.companion.tables import (
    BY_UNIT,
    FROM_SERVER,
    Rule,
    namespaces,
    node,
    rules,
    specifications,
    types,
)
from collectors.opcua.companion.units import unit_of
from collectors.proposal import PROCESS, SINGLE_ROLES, Asset, Proposal, ProposedTag, role_by_unit

_CURRENT_STATE = Name("", "CurrentState")
_MACHINES_FOLDER = "1001"
_WHOLE_MACHINES = (
    "tool:MachineToolType",
    "packml:PackMLBaseObjectType",
    "robotics:MotionDeviceSystemType",
)
_ITEM_STATE = "machinery_item_state"
_MACHINERY = "machinery"


def recognise(space: AddressSpace) -> list[Proposal]:
    """Return the machines of an address space in the order they were met, each with its tags."""
    roots = _roots(space)
    codes: set[str] = set()
    found = []
    for root in roots:
        others = {other.address for other in roots if other is not root}
        machine = _Machine(space, root, list(space.subtree(root.address, others)))
        found.append(machine.proposal(unused_name(codes, plain_name(root.name.text))))
    return found


def _roots(space: AddressSpace) -> list[Node]:
    """Return the objects that are whole machines, and none that is a part of another one."""
    roots = [one for one in space.below(node("machinery", _MACHINES_FOLDER)) if not one.is_variable]
    inside = {one.address for root in roots for one in space.subtree(root.address)}
    wanted = [types()[name] for name in _WHOLE_MACHINES]
    identified = types()["machinery:MachineIdentificationType"]
    for one in list(space.nodes.values()):
        if one.is_variable or one.address in inside:
            continue
        is_machine = any(space.is_a(one.type, kind) for kind in wanted)
        if is_machine or any(
            space.is_a(part.type, identified) for part in space.below(one.address)
        ):
            roots.append(one)
            inside |= {part.address for part in space.subtree(one.address)}
    return roots


class _Machine:
    """One machine with the nodes that belong to it."""

    def __init__(self, space: AddressSpace, root: Node, nodes: Sequence[Node]) -> None:
        self._space = space
        self._root = root
        self._nodes = nodes
        self._kinds = {one.type for one in nodes}
        self._notes: list[str] = []
        self._components = self._component_names()

    def proposal(self, code: str) -> Proposal:
        asset = self._asset(code)
        tags = self._tags(code)
        roles = {tag.role for tag in tags}
        if "state" not in roles:
            self._notes.append("tells no state: OEE needs one from elsewhere")
        if "total_count" not in roles:
            self._notes.append("tells no count of parts: OEE needs one from elsewhere")
        if self._of_type("jobs:JobManagementType"):
            self._notes.append(
                "keeps job orders (OPC 40001-3): they are structures, not numbers; take them as "
                "business records from the system that sends them"
            )
        return Proposal(asset, tuple(tags), tuple(self._notes))

    # --- who it is -------------------------------------------------------------------------------

    def _asset(self, code: str) -> Asset:
        identity = self._identity()
        is_robot = bool(self._of_type("robotics:MotionDeviceType"))
        if len(self._of_type("robotics:MotionDeviceType")) > 1:
            self._notes.append("has several motion devices: they share one state")
        return Asset(
            code,
            identity.get("ComponentName") or identity.get("TagID") or self._root.name.text,
            "robot" if is_robot else "machine",
            "/".join(self._space.path(self._root)),
            self._specifications(),
            identity.get("Manufacturer"),
            identity.get("Model"),
            identity.get("SerialNumber"),
            identity.get("ProductInstanceUri"),
        )

    def _identity(self) -> dict[str, str]:
        """Return the nameplate: of the machine itself, its Identification, or its robot."""
        kinds = ("machinery:MachineryItemIdentificationType", "robotics:MotionDeviceType")
        owners = [self._root]
        for part in self._space.below(self._root.address):
            if self._space.is_a(part.type, types()[kinds[0]]):
                owners.append(part)
        owners += self._of_type(kinds[1])[:1]
        found: dict[str, str] = {}
        for owner in owners:
            for one in self._space.below(owner.address):
                if one.is_variable and one.value:
                    found.setdefault(one.name.text, one.value)
        return found

    def _specifications(self) -> tuple[str, ...]:
        """Return the specifications whose types or names occur, the devices' own apart."""
        met = {one.name.namespace for one in self._nodes}
        for one in self._nodes:
            kind = one.type
            while kind:
                met.add(kind.removeprefix("nsu=").partition(";")[0])
                kind = self._space.supertypes.get(kind, "")
        general = {namespaces()[prefix] for prefix in ("di", "ia", "padim")}
        return tuple(name for uri, name in specifications().items() if uri in met - general)

    def _of_type(self, name: str) -> list[Node]:
        return self._instances(types()[name])

    def _instances(self, wanted: str) -> list[Node]:
        """Return the nodes of a type or of one derived from it, in their order."""
        kinds = {kind for kind in self._kinds if self._space.is_a(kind, wanted)}
        return [one for one in self._nodes if one.type in kinds] if kinds else []

    # --- what it tells ---------------------------------------------------------------------------

    def _tags(self, code: str) -> list[ProposedTag]:
        tags: list[ProposedTag] = []
        names: set[str] = set()
        taken: set[str] = set()
        for rule in rules():
            for owner, variable in self._matches(rule):
                if variable.address in taken:
                    continue
                taken.add(variable.address)
                roles = {tag.role for tag in tags}
                name = unused_name(names, f"{code}.{self._name(rule, owner, variable)}")
                tags.append(self._tag(rule, owner, variable, roles, name))
        return tags

    def _name(self, rule: Rule, owner: Node, variable: Node) -> str:
        name = rule.tag.format(owner=owner.name.text, name=variable.name.text)
        component = self._components.get(owner.address)
        return plain_name(f"{component}_{name}" if component is not None else name)

    def _component_names(self) -> dict[str, str]:
        """Return the name of the component for each node that belongs to one (OPC 40001-1)."""
        return {
            part.address: component.name.text
            for folder in self._of_type("machinery:MachineComponentsType")
            for component in self._space.below(folder.address)
            for part in self._space.subtree(component.address)
        }

    def _matches(self, rule: Rule) -> Iterator[tuple[Node, Node]]:
        for owner in self._instances(rule.type):
            for variable in self._follow(owner, rule.path):
                yield owner, variable

    def _follow(self, start: Node, path: Sequence[Name | str]) -> Iterator[Node]:
        """Return the variables at the end of a path below a node."""
        if not path:
            if start.is_variable:
                yield start
            return
        step, rest = path[0], path[1:]
        if step == "**":
            # Properties, such as limits and units, are not values of their own.
            for one in self._space.subtree(start.address):
                if one.is_variable and one is not start and one.type != "i=68":
                    yield one
            return
        for one in self._space.below(start.address):
            if step in ("*", one.name):
                yield from self._follow(one, rest)

    def _tag(
        self, rule: Rule, owner: Node, variable: Node, roles: set[str], name: str
    ) -> ProposedTag:
        unit, about = self._unit(rule, variable)
        role = role_by_unit(unit) if rule.role == BY_UNIT else rule.role
        if role in SINGLE_ROLES and owner.address in self._components:
            about, role = f"{about}; of a component, so a process value", PROCESS
        elif role in SINGLE_ROLES and role in roles:
            about, role = f"{about}; a second {role}, so a process value", PROCESS
        keys, scheme = self._keys(rule, owner, variable)
        return ProposedTag(name, role, unit, keys, scheme, about, variable.value)

    def _unit(self, rule: Rule, variable: Node) -> tuple[str, str]:
        if rule.unit != FROM_SERVER:
            return rule.unit, rule.about
        unit = unit_of(variable.unit_id, variable.unit)
        if unit is None:
            return (
                "1",
                f"{rule.about}; in {variable.unit or variable.unit_id}, which has no name here",
            )
        return unit, rule.about

    def _keys(
        self, rule: Rule, owner: Node, variable: Node
    ) -> tuple[dict[str, object], str | None]:
        keys: dict[str, object] = {"node": variable.address}
        scheme = rule.states
        if scheme == _MACHINERY:
            mode = self._operation_mode(owner)
            if mode is None:
                scheme = _ITEM_STATE
            else:
                keys["mode_node"] = mode.address
        if outer := self._outer_states(owner, rule.path):
            keys["outer_nodes"] = outer
        if scheme is not None:
            keys["states"] = scheme
        if rule.member is not None:
            keys |= {"index": 0} if variable.is_array else {}
            keys["member"] = rule.member
        return keys, scheme

    def _outer_states(self, owner: Node, path: Sequence[Name | str]) -> list[str]:
        """Return the current states of the machines that a path leads through, from inside out."""
        if path[-1] != _CURRENT_STATE:
            return []
        ways = (self._follow(owner, (*path[:end], _CURRENT_STATE)) for end in range(len(path) - 1))
        return [variable.address for way in ways for variable in way][::-1]

    def _operation_mode(self, item_state: Node) -> Node | None:
        """Return the operation mode beside an item state: among its siblings, else in all."""
        modes = self._of_type("machinery:MachineryOperationModeStateMachineType")
        above = set(self._space.parents.get(item_state.address, ()))
        modes.sort(key=lambda mode: not above & set(self._space.parents.get(mode.address, ())))
        for mode in modes:
            for one in self._space.below(mode.address):
                if one.name == _CURRENT_STATE:
                    return one
        return None


def plain_name(text: str) -> str:
    """Return a name that can stand in a tag: letters, digits, hyphens and underscores."""
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
    return plain.strip("_") or "unnamed"


def unused_name(taken: set[str], name: str) -> str:
    """Return a name that is not taken yet, with a number where it must differ, and take it."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
