"""What an answer says about each tag of its request. Pure but for the memory of unknown texts."""

from collections.abc import Sequence

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU

from collectors import states, status
from collectors.modbus.decode import decode, scaled, text
from collectors.modbus.layout import BIT_TABLES, RegisterTable
from collectors.modbus.requests import Request
from collectors.modbus.settings import ModbusTag
from collectors.sample import Delivery, Refused, Sample, bad, measured

# Modbus Application Protocol V1.1b3, 6.1 to 6.4.
_FUNCTIONS: dict[RegisterTable, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_BITS_A_BYTE = 8

# Exception codes of the Modbus Application Protocol V1.1b3, section 7.
_EXCEPTIONS = {
    1: status.BAD_CONFIGURATION,  # illegal function: the device does not have this table
    2: status.BAD_CONFIGURATION,  # illegal data address
    3: status.BAD_CONFIGURATION,  # illegal data value: too many registers at once
    4: status.BAD_DEVICE_FAILURE,
    10: status.BAD_NO_COMMUNICATION,  # gateway path unavailable
    11: status.BAD_NO_COMMUNICATION,  # the device behind the gateway failed to respond
}


def is_refused_range(reply: ModbusPDU) -> bool:
    """Tell whether the device does not have one of the addresses that were asked for."""
    return reply.isError() and getattr(reply, "exception_code", 0) == ExcCodes.ILLEGAL_ADDRESS


class Reader:
    """Turns answers into samples; a text that stands for no state is refused once, then bad."""

    def __init__(self, tags: Sequence[ModbusTag]) -> None:
        self._codes = {tag.tag: states.codes(tag.states) for tag in tags if tag.states is not None}
        self._unknown: dict[str, str] = {}

    def add(self, delivery: Delivery, request: Request, reply: ModbusPDU, ts_us: int) -> None:
        """Add one sample for each tag of a request to a delivery."""
        if code := _fault(request, reply):
            delivery.samples += [bad(tag.tag, ts_us, code) for tag in request.tags]
            return
        places = [int(bit) for bit in reply.bits] if _is_bits(request) else reply.registers
        for tag in request.tags:
            own = request.places_of(tag, places)
            if tag.type == "string":
                delivery.samples.append(self._state(delivery, tag, own, ts_us))
            else:
                delivery.samples.append(_number(tag, own, ts_us))

    def _state(
        self, delivery: Delivery, tag: ModbusTag, registers: Sequence[int], ts_us: int
    ) -> Sample:
        found = text(registers, tag.order)
        if found is None:
            return bad(tag.tag, ts_us, status.BAD_DECODING)
        code = self._codes.get(tag.tag, {}).get(states.folded(found))
        if code is not None:
            self._unknown.pop(tag.tag, None)
            return measured(tag.tag, ts_us, scaled(code, tag.scale, tag.offset))
        if self._unknown.get(tag.tag) != found:
            self._unknown[tag.tag] = found
            reason = f'{tag.tag}: "{found}" is none of its states; add it to the gateway file'
            delivery.refused.append(Refused(reason, found))
        return bad(tag.tag, ts_us, status.BAD_TYPE_MISMATCH)


def _is_bits(request: Request) -> bool:
    return request.table in BIT_TABLES


def _fault(request: Request, reply: ModbusPDU) -> int | None:
    """Return why nothing of an answer may be used, as a status, or None."""
    if reply.isError():
        return _EXCEPTIONS.get(getattr(reply, "exception_code", 0), status.BAD_COMMUNICATION)
    if reply.function_code != _FUNCTIONS[request.table]:
        return status.BAD_COMMUNICATION
    # pymodbus takes an answer with fewer places than asked for a good one; bits come in bytes.
    if _is_bits(request):
        is_whole = len(reply.bits) == -(-request.count // _BITS_A_BYTE) * _BITS_A_BYTE
    else:
        is_whole = len(reply.registers) == request.count
    return None if is_whole else status.BAD_DECODING


def _number(tag: ModbusTag, places: Sequence[int], ts_us: int) -> Sample:
    raw = float(places[0]) if tag.table in BIT_TABLES else _decoded(tag, places)
    return measured(tag.tag, ts_us, scaled(raw, tag.scale, tag.offset))


def _decoded(tag: ModbusTag, registers: Sequence[int]) -> float:
    return decode(registers, tag.type, tag.order, tag.bit or 0)
