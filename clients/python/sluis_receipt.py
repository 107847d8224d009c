#!/usr/bin/env python3
"""Verifies a receipt of the gateway: written from the formats, without the gateway's code, so that it is a second
opinion. Formats: docs/audit-log.md; C2SP tlog-proof, tlog-checkpoint and signed-note; RFC 6962 and RFC 8785.

As a program it verifies a receipt file. Exit status: 0 verified, 1 not."""

import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import re
import sys
import types
import uuid

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class ReceiptError(Exception):
    """The receipt does not prove what it should."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value):
    """Canonical JSON (RFC 8785), for numbers that are whole or have a short fraction, which is all there are here."""
    return json.dumps(_ordered(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _ordered(value):
    """The same with members in the order of their names in UTF-16, and whole numbers without a fraction."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def read_canonical(data):
    """Reads canonical JSON, and refuses any other form of the same content."""
    try:
        value = json.loads(data)
        same = canonical(value) == bytes(data)
    except (ValueError, RecursionError) as error:
        raise ReceiptError("not JSON") from error
    if not same:
        raise ReceiptError("not canonical JSON")
    if not isinstance(value, dict):
        raise ReceiptError("not a JSON object")
    return value


def b64(text, length=None):
    """Standard base64 with padding: one text for each sequence of bytes."""
    if not isinstance(text, str):
        raise ReceiptError("not a text in base64")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ReceiptError("not base64") from error
    if base64.b64encode(data).decode() != text or (length is not None and len(data) != length):
        raise ReceiptError("not base64 of the expected length")
    return data


def number(text):
    """Decimal digits without a leading zero."""
    if not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise ReceiptError("not a number")
    return int(text)


# The log's key and its signed checkpoints


def read_vkey(text):
    """Name, id and key of a verifier key, `name+id+base64`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise ReceiptError("not a verifier key")
    name, data = parts[0], b64(parts[2], 33)
    key_id = sha256(name.encode(), b"\n", data)[:4]
    if data[0] != 1 or key_id.hex() != parts[1]:
        raise ReceiptError("not a verifier key for Ed25519 notes")
    return name, key_id, Ed25519PublicKey.from_public_bytes(data[1:])


def open_checkpoint(note, vkey):
    """Size and root that the log has signed."""
    name, key_id, key = read_vkey(vkey)
    text, separator, lines = note.rpartition("\n\n")
    text += "\n"
    if not separator or not lines.endswith("\n"):
        raise ReceiptError("not a signed note")
    signed, seen = False, set()
    for line in lines[:-1].split("\n"):
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014":
            raise ReceiptError("not a signature line")
        signature = b64(words[2])
        if (words[1], signature[:4]) in seen:
            raise ReceiptError("two signatures of one key")
        seen.add((words[1], signature[:4]))
        if words[1] != name or signature[:4] != key_id:
            # Whether somebody else's line was changed nobody could tell: docs/audit-log.md refuses it.
            raise ReceiptError("a signature by a key that is not known")
        try:
            key.verify(signature[4:], text.encode())
        except InvalidSignature as error:
            raise ReceiptError("the log's signature does not verify") from error
        signed = True
    rows = text.split("\n")
    if not signed or len(rows) != 4 or rows[3] or rows[0] != name:
        raise ReceiptError("not a checkpoint signed by this log")
    return number(rows[1]), b64(rows[2], 32)


# The tree (RFC 6962)


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def root_from_inclusion(index, size, leaf, path):
    """Root of the tree of this size that has the leaf at this position: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        raise ReceiptError("the position lies outside the tree")
    first, last, root = index, size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            raise ReceiptError("the proof is too long")
        if first & 1 or first == last:
            root = node_hash(sibling, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ReceiptError("the proof is too short")
    return root


def read_proof(text):
    """Position, hashes and signed checkpoint of a tlog-proof."""
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 2 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise ReceiptError("not a tlog-proof")
    return number(lines[1][len("index "):]), [b64(line, 32) for line in lines[2:]], checkpoint


# The entries


UUID4 = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def is_moment(text):
    """Whether this is a moment as in `2026-11-23T09:30:00.000Z`, on a day that exists."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", text):
        return False
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return False
    return not text.endswith(("60.000Z", "61.000Z"))


def open_sealed(entry_id, key, sealed):
    """The sealed part of an entry, once its key is given: AES-256-GCM, padded with 0x80 and zeros."""
    try:
        padded = AESGCM(key).decrypt(bytes(12), sealed, entry_id)
    except (InvalidTag, ValueError) as error:
        raise ReceiptError("the sealed part does not open with its key") from error
    text = padded.rstrip(b"\x00")
    if len(padded) % 256 or not text.endswith(b"\x80") or len(padded) - len(text) >= 256:
        raise ReceiptError("the sealed part is not padded as it should be")
    return text[:-1]


def verify_entry(entry, vkey):
    """One opened entry: it stands in the log, and the leaf commits to what is opened. Gives leaf, facts, position."""
    index, path, checkpoint = read_proof(entry.proof)
    size, root = open_checkpoint(checkpoint, vkey)
    if root_from_inclusion(index, size, entry.leaf, path) != root:
        raise ReceiptError("the proof does not lead from the leaf to the signed root")
    leaf = read_canonical(entry.leaf)
    texts = all(isinstance(value, str) for name, value in leaf.items() if name != "v")
    if set(leaf) != {"client", "facts", "kind", "pair", "time", "v"} or leaf["v"] != 1 or not texts:
        raise ReceiptError("not a leaf of this version")
    if leaf["v"] is True or not UUID4.fullmatch(leaf["pair"]) or not is_moment(leaf["time"]):
        raise ReceiptError("not a leaf in its one form")
    if len(entry.facts_salt) != 32 or sha256(b"sluis/v1/facts\x00", entry.facts_salt, entry.facts) != b64(leaf["facts"]):
        raise ReceiptError("the facts are not those that the leaf commits to")
    if bool(entry.entry_key) != bool(entry.sealed):
        raise ReceiptError("a sealed part and its key come together")
    if entry.sealed:
        entry_id = uuid.UUID(leaf["pair"]).bytes + leaf["kind"].encode()
        length, key_hash = len(entry_id).to_bytes(8, "big"), sha256(entry.entry_key)
        if sha256(b"sluis/v1/client\x00", length, entry_id, key_hash, entry.sealed) != b64(leaf["client"]):
            raise ReceiptError("the sealed part is not the one that the leaf commits to")
        open_sealed(entry_id, entry.entry_key, entry.sealed)
    return leaf, read_canonical(entry.facts), index


def answer_fields(answer):
    """Number and bytes of each field of an answer, as they came, and its content where it has a length."""
    at = 0
    while at < len(answer):
        start = at
        tag, at = _varint(answer, at)
        if not 8 <= tag < 1 << 32:
            raise ReceiptError("a field without a number")
        begin = at
        if tag & 7 == 0:
            _, at = _varint(answer, at)
        elif tag & 7 in (1, 5):
            at += 8 if tag & 7 == 1 else 4
        elif tag & 7 == 2:
            length, begin = _varint(answer, at)
            at = begin + length
        else:
            raise ReceiptError("a kind of field that no answer has")
        if at > len(answer):
            raise ReceiptError("the answer is cut off")
        yield tag >> 3, answer[start:at], answer[begin:at] if tag & 7 == 2 else None


def without_receipt(answer):
    """The bytes of an answer as they came, without its receipt, which is field 6. The log commits to bytes, and encoding
    the message again is left to nobody's library."""
    return b"".join(field for number, field, _ in answer_fields(answer) if number != 6)


def discloses(answer):
    """Whether an answer holds a disclosure, which is field 3. What cannot be read may be one."""
    for number, _, content in answer_fields(answer):
        if number == 3 or (number <= 6 and content is None):
            return True
        texts = [content] if number in (1, 2) else []
        if number in (4, 5):
            texts = [path for field, _, path in answer_fields(content) if field == 1]
        try:
            for text in texts:
                (b"\xff" if text is None else text).decode()
        except UnicodeDecodeError:
            return True
    return False


def _varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ReceiptError("the answer is cut off")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            if value >= 1 << 64:
                raise ReceiptError("a number beyond 64 bits")
            return value, at


def verify_receipt(receipt, answer, vkey):
    """Verifies a receipt under the log's key, and that its outcome commits to this answer.

    `answer` are the bytes as they came, with or without the receipt in them, or None if they were not kept. Gives the
    facts of the entries. Raises ReceiptError."""
    try:
        entries = [verify_entry(entry, vkey) for entry in receipt.entries]
    except ValueError as error:
        raise ReceiptError("the receipt cannot be read") from error
    if [leaf["kind"] for leaf, _, _ in entries] not in (["request"], ["request", "outcome"]):
        raise ReceiptError("a receipt opens a request and at most one outcome")
    if len(entries) == 1:
        if answer is not None and discloses(answer):
            raise ReceiptError("the answer discloses, and no outcome commits to it")
        return [facts for _, facts, _ in entries]
    (request, _, first), (outcome, facts, second) = entries
    if request["pair"] != outcome["pair"] or first >= second or request["time"] > outcome["time"]:
        raise ReceiptError("the outcome is not the one of this request")
    if answer is not None:
        committed = sha256(b"sluis/v1/answer\x00", receipt.answer_salt, without_receipt(answer))
        if len(receipt.answer_salt) != 32 or committed != b64(facts.get("answer", "")):
            raise ReceiptError("the answer is not the one that the outcome commits to")
    return [facts for _, facts, _ in entries]


# Receipt files, as `sluis request --receipt` writes them and `sluis audit verify` reads them

BYTES = ("facts_salt", "entry_key", "sealed")


def to_file(receipt, answer):
    """The text of a receipt file, with the answer it vouches for."""
    encode = lambda data: base64.b64encode(data).decode()  # noqa: E731
    entries = []
    for entry in receipt.entries:
        member = {"leaf": entry.leaf.decode(), "proof": entry.proof, "facts": entry.facts.decode()}
        entries.append(member | {name: encode(getattr(entry, name)) for name in BYTES if getattr(entry, name)})
    file = {"entries": entries, "answer": encode(without_receipt(answer))}
    if receipt.answer_salt:
        file["answer_salt"] = encode(receipt.answer_salt)
    return json.dumps(file, indent=2, ensure_ascii=False) + "\n"


def from_file(text):
    """The receipt and the answer, or None, of a receipt file. Another member, or one twice, makes it unreadable."""

    def members(pairs):
        names = [name for name, _ in pairs]
        known = {"entries", "answer", "answer_salt"}, {"leaf", "proof", "facts", *BYTES}
        if len(set(names)) != len(names) or not any(set(names) <= names_known for names_known in known):
            raise ReceiptError("not a receipt file")
        return dict(pairs)

    def entry(member):
        texts = {name: member[name] for name in ("leaf", "proof", "facts")}
        # In a file what is absent has no member: an empty one is another thing, and never right.
        empty = any(member.get(name) == "" for name in BYTES)
        if empty or not all(isinstance(text, str) for text in texts.values()):
            raise ReceiptError("not a receipt file")
        parts = {name: b64(member[name]) if name in member else b"" for name in BYTES}
        return types.SimpleNamespace(
            leaf=texts["leaf"].encode(), proof=texts["proof"], facts=texts["facts"].encode(), **parts
        )

    try:
        file = json.loads(text, object_pairs_hook=members)
        entries = [entry(member) for member in file["entries"]]
        salt = b64(file["answer_salt"]) if "answer_salt" in file else b""
        answer = b64(file["answer"]) if "answer" in file else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReceiptError("not a receipt file") from error
    # The answer of a file is the one without its receipt. With an outcome it is compared as it is.
    if answer is not None and len(entries) == 2 and without_receipt(answer) != answer:
        raise ReceiptError("the answer of a receipt file has no receipt in it")
    return types.SimpleNamespace(entries=entries, answer_salt=salt), answer


def main():
    parser = argparse.ArgumentParser(description="Verifies a receipt file. Exit status: 0 verified, 1 not.")
    parser.add_argument("receipt", type=pathlib.Path)
    parser.add_argument("--log-vkey", required=True, help="public key of the log: a C2SP verifier key, or its file")
    arguments = parser.parse_args()
    vkey = arguments.log_vkey
    if "+" not in vkey or pathlib.Path(vkey).is_file():
        vkey = pathlib.Path(vkey).read_text(encoding="utf-8").strip()
    try:
        receipt, answer = from_file(arguments.receipt.read_text(encoding="utf-8"))
        facts = verify_receipt(receipt, answer, vkey)
    except (ReceiptError, UnicodeDecodeError) as error:
        print(f"the receipt does not hold: {error}", file=sys.stderr)
        return 1
    print(f"the receipt holds: {len(facts)} entries of the log, {'with' if answer else 'without'} the answer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
