"""OPC UA status codes by name, as the signed 32-bit numbers that are stored.

Values: OPC UA Part 6, annex A (StatusCode.csv). Every source uses them, not only OPC UA.
"""

_UNSIGNED = {
    "Good": 0x00000000,
    "Uncertain": 0x40000000,
    "UncertainLastUsableValue": 0x40900000,
    "Bad": 0x80000000,
    "BadCommunicationError": 0x80050000,
    "BadDecodingError": 0x80070000,
    "BadTimeout": 0x800A0000,
    "BadShutdown": 0x800C0000,
    "BadServerNotConnected": 0x800D0000,
    "BadUserAccessDenied": 0x801F0000,
    "BadNoCommunication": 0x80310000,
    "BadWaitingForInitialData": 0x80320000,
    "BadNodeIdInvalid": 0x80330000,
    "BadNodeIdUnknown": 0x80340000,
    "BadNotReadable": 0x803A0000,
    "BadOutOfRange": 0x803C0000,
    "BadTypeMismatch": 0x80740000,
    "BadConfigurationError": 0x80890000,
    "BadNotConnected": 0x808A0000,
    "BadDeviceFailure": 0x808B0000,
    "BadSensorFailure": 0x808C0000,
    "BadOutOfService": 0x808D0000,
    "BadNoData": 0x809B0000,
    "BadDataLost": 0x809D0000,
}

_SUBCODE_MASK = 0xFFFF0000
_BAD_BIT = 0x80000000


def signed(code: int) -> int:
    """Return an unsigned status code as the signed 32-bit number that is stored."""
    return code - 0x1_0000_0000 if code & _BAD_BIT else code


def is_bad(status: int) -> bool:
    """Tell whether a stored status says that there is no usable value."""
    return status & _BAD_BIT != 0


def name(status: int) -> str:
    """Return the name of a stored status, or its 32 bits in hexadecimal where it has none here."""
    unsigned = status & 0xFFFFFFFF
    return _NAMES.get(unsigned & _SUBCODE_MASK, f"0x{unsigned:08X}")


_NAMES = {code: name for name, code in _UNSIGNED.items()}

CODES = {name: signed(code) for name, code in _UNSIGNED.items()}

GOOD = CODES["Good"]
UNCERTAIN = CODES["Uncertain"]
BAD_COMMUNICATION = CODES["BadCommunicationError"]
BAD_DECODING = CODES["BadDecodingError"]
BAD_TIMEOUT = CODES["BadTimeout"]
BAD_NO_COMMUNICATION = CODES["BadNoCommunication"]
BAD_NODE_UNKNOWN = CODES["BadNodeIdUnknown"]
BAD_OUT_OF_RANGE = CODES["BadOutOfRange"]
BAD_TYPE_MISMATCH = CODES["BadTypeMismatch"]
BAD_CONFIGURATION = CODES["BadConfigurationError"]
BAD_DEVICE_FAILURE = CODES["BadDeviceFailure"]
BAD_NO_DATA = CODES["BadNoData"]
BAD_DATA_LOST = CODES["BadDataLost"]
