"""Why a call was refused, read from `google.rpc.Status` by its format alone: reason, rule, and the fields that are wrong."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A refused call. Nothing in it is a value that was sent."""

    status: str
    """Status of gRPC, such as `INVALID_ARGUMENT`."""
    reason: str = ""
    """Stable reason, such as `FORM_TOO_WIDE` (docs/reasons.md). Empty if the call did not come as far as the gateway."""
    rule: str = ""
    """Rule that it rests on, such as `R06`; empty if none."""
    fields: dict = dataclasses.field(default_factory=dict)
    """What is wrong, by the path of the field."""

    def __str__(self):
        head = ": ".join(part for part in (self.status, self.reason) if part)
        rule = f" ({self.rule})" if self.rule else ""
        return head + rule + "".join(f"\n  {field} {what}" for field, what in self.fields.items())


def refusal(error):
    """What a `grpc.RpcError` says."""
    status = error.code().name
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            try:
                return _read(status, value)
            except ValueError:  # The call was refused, whatever came with it.
                break
    return Refusal(status)


def _read(status, message):
    reason, rule, fields = "", "", {}
    for detail in _all(message, 3):
        kind, content = _text(detail, 1).rpartition("/")[2], _one(detail, 2)
        if kind == "google.rpc.ErrorInfo":
            reason = _text(content, 1)
            metadata = {_text(entry, 1): _text(entry, 2) for entry in _all(content, 3)}
            rule = metadata.get("rule", "")
        elif kind == "google.rpc.BadRequest":
            fields |= {_text(violation, 1): _text(violation, 2) for violation in _all(content, 1)}
    return Refusal(status, reason, rule, fields)


def _all(message, number):
    """The values of a field that has a length: a text, bytes or a message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            content, at = message[at : at + value], at + value
            if tag >> 3 == number:
                yield content
        elif tag & 7 != 0:
            raise ValueError("a kind of field that no refusal has")


def _one(message, number):
    return next(_all(message, number), b"")


def _text(message, number):
    return _one(message, number).decode()


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("the refusal is cut off")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
