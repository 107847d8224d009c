"""Tests without a gateway: `python -m unittest`. Trees and receipts are made by hand here, from the definitions.
`python test_sluis_client.py --write` signs the forms anew that the gateway's own tests read."""

import base64
import datetime
import hashlib
import json
import pathlib
import sys
import tempfile
import types
import unittest
import uuid

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import sluis_client as sluis
import sluis_receipt as receipts
from sluis_receipt import ReceiptError

HERE = pathlib.Path(__file__).resolve().parent
TODAY = datetime.date(2026, 11, 23)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def counted():
    """Ids and salts that are the same each time."""
    count = iter(range(1, 1000))
    new_id = lambda: uuid.UUID(int=next(count), version=4)  # noqa: E731
    new_salt = lambda: hashlib.sha256(b"salt %d" % next(count)).digest()  # noqa: E731
    return new_id, new_salt


# What is signed of these forms is kept, for the tests of the gateway to read (tests/python_client.rs).
KEPT = {
    HERE / "signed-main-form.json": HERE.parents[1] / "demo" / "forms" / "main.json",
    HERE / "signed-full-form.json": HERE / "full-form.json",
}


def signed_form(path):
    form = sluis.load_json(path)
    new_id, new_salt = counted()
    signed, grants = sluis.sign_form(form, "kade-1", KEY, TODAY, new_id, new_salt)
    return form, signed, grants


def to_keep(path):
    form, signed, grants = signed_form(path)
    talk = ("GUIDANCE_TALK", "today-1", "ggz.trajectbegeleider")
    form_id = json.loads(unb64url(signed.split(".")[1]))["form_id"]
    return {
        "public": sluis.b64url(public(KEY)),
        "form": signed,
        "grants": [{"jws": text, "salt": sluis.b64url(salt)} for text, salt in grants],
        "reconfirmation": sluis.sign_reconfirmation(form_id, form["recorder"], *talk, "kade-1", KEY, TODAY),
    }


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Forms(unittest.TestCase):
    def test_canonical_json(self):
        value = {"b": [1, "é\n\""], "a": {"z": None, "y": True}, "B": "</"}
        self.assertEqual(
            receipts.canonical(value).decode(), '{"B":"</","a":{"y":true,"z":null},"b":[1,"é\\n\\""]}'
        )
        for other in (b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"{"):
            with self.assertRaises(ReceiptError):
                receipts.read_canonical(other)

    def test_relative_days(self):
        self.assertEqual(sluis.day("today-14", TODAY), "2026-11-09")
        self.assertEqual(sluis.day("today+300", TODAY), "2027-09-19")
        self.assertEqual(sluis.day("2026-10-05", TODAY), "2026-10-05")
        self.assertEqual(sluis.day("today", TODAY), "2026-11-23")
        for text in ("today1", "today+", "tomorrow", "5-10-2026"):
            with self.assertRaises(ValueError):
                sluis.day(text, TODAY)

    def test_jws_verifies(self):
        text = sluis.jws(b"{}", "t", "k1", KEY)
        header, payload, signature = text.split(".")
        self.assertEqual(json.loads(unb64url(header)), {"alg": "EdDSA", "kid": "k1", "typ": "t"})
        self.assertEqual(unb64url(payload), b"{}")
        KEY.public_key().verify(unb64url(signature), f"{header}.{payload}".encode())

    def test_form_names_its_grants_and_binds_the_client(self):
        form, signed, grants = signed_form(HERE / "full-form.json")
        named = json.loads(unb64url(signed.split(".")[1]))
        for (text, salt), entry in zip(grants, named["grants"], strict=True):
            payload = unb64url(text.split(".")[1])
            grant = json.loads(payload)
            self.assertEqual(hashlib.sha256(payload).hexdigest(), entry["sha256"])
            self.assertEqual((grant["form_id"], grant["grant_id"]), (named["form_id"], entry["grant_id"]))
            person = hashlib.sha256(salt + form["bsn"].encode()).digest()
            self.assertEqual(unb64url(grant["person"]), person)
            self.assertNotIn(form["bsn"], payload.decode())

    def test_same_form_as_the_gateway_reads(self):
        for kept, draft in KEPT.items():
            self.assertEqual(sluis.load_json(kept), to_keep(draft), kept.name)

    def test_what_is_not_there_is_left_out(self):
        form = sluis.load_json(HERE / "full-form.json")
        _, grants = sluis.sign_form(form, "kade-1", KEY, TODAY)
        first, second = (json.loads(unb64url(text.split(".")[1])) for text, _ in grants)
        self.assertEqual({"sensitive", "excluded", "uses"}, first.keys() - second.keys())
        self.assertEqual({"renews"}, second.keys() - first.keys())
        # Nothing that was said is left out with it: the gateway refuses a number of uses that is none.
        form["grants"][0]["uses"] = 0
        _, grants = sluis.sign_form(form, "kade-1", KEY, TODAY)
        self.assertEqual(json.loads(unb64url(grants[0][0].split(".")[1]))["uses"], 0)

    def test_keys_in_all_their_forms(self):
        private = serialization.PrivateFormat.PKCS8
        none = serialization.NoEncryption()
        pem = KEY.private_bytes(serialization.Encoding.PEM, private, none)
        der = KEY.private_bytes(serialization.Encoding.DER, private, none)
        # Version 2, with the public key, as ring writes it.
        seed = bytes(range(32))
        newer = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20" + seed + b"\x81\x21\x00" + public(KEY)
        newer_pem = b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(newer) + b"\n-----END PRIVATE KEY-----\n"
        with tempfile.TemporaryDirectory() as folder:
            for content in (pem, der, newer, newer_pem):
                path = pathlib.Path(folder) / "key"
                path.write_bytes(content)
                self.assertEqual(public(sluis.load_signing_key(path)), public(KEY))

    def test_paths_come_from_the_catalogue(self):
        protocol = sluis.Protocol()
        self.assertEqual(protocol.paths["WT-03"], "working_hours.hours_per_week")
        for path in (HERE.parents[1] / "demo" / "forms").glob("*.json"):
            for grant in sluis.load_json(path)["grants"]:
                self.assertLessEqual(set(grant["fields"]), protocol.paths.keys(), path)
        capacity = protocol.exchange.Disclosure().work_capacity
        capacity.working_hours.hours_per_week = 3
        capacity.working_hours.assessment.determined_on.year = 2026
        self.assertEqual(protocol.delivered(capacity), {"working_hours.hours_per_week"})


class Refused(grpc.RpcError):
    """A refused call, as gRPC raises it."""

    def __init__(self, details):
        self._details = details

    def code(self):
        return grpc.StatusCode.INVALID_ARGUMENT

    def trailing_metadata(self):
        return (("grpc-status-details-bin", self._details),) if self._details else None


def part(number, *content):
    """A field of protobuf that has a length: a text, or a message of such fields."""
    data = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in content)
    length, left = b"", len(data)
    while left > 0x7F:
        length, left = length + bytes([left & 0x7F | 0x80]), left >> 7
    return bytes([number << 3 | 2]) + length + bytes([left]) + data


class Refusals(unittest.TestCase):
    def test_names_reason_rule_and_fields(self):
        rule = part(3, part(1, "rule"), part(2, "R06"))
        info = part(1, "FORM_TOO_WIDE") + part(2, "sluis") + rule
        wrong = part(1, part(1, "grants[0].fields"), part(2, "is too wide: " + "x" * 200))
        details = b"\x08\x03" + part(2, "message")
        details += part(3, part(1, "type.googleapis.com/google.rpc.ErrorInfo"), part(2, info))
        details += part(3, part(1, "type.googleapis.com/google.rpc.BadRequest"), part(2, wrong))
        refused = sluis.refusal(Refused(details))
        self.assertEqual(
            (refused.status, refused.reason, refused.rule), ("INVALID_ARGUMENT", "FORM_TOO_WIDE", "R06")
        )
        self.assertEqual(list(refused.fields), ["grants[0].fields"])
        text = "INVALID_ARGUMENT: FORM_TOO_WIDE (R06)\n  grants[0].fields is too wide: x"
        self.assertTrue(str(refused).startswith(text), refused)
        for broken in (details[:1], b"\x0d", part(3, part(1, b"\xff"))):
            self.assertEqual(str(sluis.refusal(Refused(broken))), "INVALID_ARGUMENT")

    def test_without_details_there_is_a_status(self):
        self.assertEqual(str(sluis.refusal(Refused(b""))), "INVALID_ARGUMENT")


# Trees, by the recursive definitions of RFC 6962


def root(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def path(index, leaves):
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return path(index, leaves[:split]) + [root(leaves[split:])]
    return path(index - split, leaves[split:]) + [root(leaves[:split])]


class Trees(unittest.TestCase):
    def test_every_leaf_of_every_small_tree(self):
        for size in range(1, 34):
            leaves = [b"leaf %d" % number for number in range(size)]
            expected = root(leaves)
            for index, leaf in enumerate(leaves):
                proof = path(index, leaves)
                self.assertEqual(receipts.root_from_inclusion(index, size, leaf, proof), expected)
                self.assertRefused(index, size, leaf, proof + [bytes(32)], expected)
                if proof:
                    self.assertRefused(index, size, leaf, proof[:-1], expected)
                    self.assertRefused((index + 1) % size, size, leaf, proof, expected)
            self.assertRefused(size, size, leaves[0], [], expected)

    def assertRefused(self, index, size, leaf, proof, expected):
        try:
            found = receipts.root_from_inclusion(index, size, leaf, proof)
        except ReceiptError:
            return
        self.assertNotEqual(found, expected)


# Receipts


def vkey(name, key):
    data = b"\x01" + public(key)
    key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(data).decode()}", key_id


def sealed(key, entry_id, text):
    padded = text + b"\x80" + bytes(-(len(text) + 1) % 256)
    return AESGCM(key).encrypt(bytes(12), padded, entry_id)


def encode(data):
    return base64.b64encode(data).decode()


class Receipts(unittest.TestCase):
    LOG = "test.example/2026"

    def setUp(self):
        self.key = Ed25519PrivateKey.generate()
        self.vkey, self.key_id = vkey(self.LOG, self.key)
        # Field 1 and 2 as texts, field 3 as a message, field 6 the receipt.
        self.body = b"\x0a\x02id" + b"\x12\x01P" + b"\x1a\x03\x0a\x01x"
        self.answer = self.body + b"\x32\x03\x0a\x01r"
        answer_salt = b"s" * 32
        committed = receipts.sha256(b"sluis/v1/answer\x00", answer_salt, self.body)
        pair = str(uuid.uuid4())
        self.leaves = [b"one", b"two"]
        parts = [self.entry("request", pair, {"purpose": "REINTEGRATION"}, b"who"), None]
        self.leaves.append(b"three")
        parts[1] = self.entry("outcome", pair, {"answer": encode(committed)}, None)
        for part in parts:
            part.proof = self.proof(self.leaves.index(part.leaf))
        self.receipt = types.SimpleNamespace(entries=parts, answer_salt=answer_salt)

    def entry(self, kind, pair, facts, who):
        facts, salt, key = receipts.canonical(facts), b"f" * 32, b"k" * 32
        entry_id = uuid.UUID(pair).bytes + kind.encode()
        text = sealed(key, entry_id, who or b"")
        length = len(entry_id).to_bytes(8, "big")
        client = receipts.sha256(b"sluis/v1/client\x00", length, entry_id, receipts.sha256(key), text)
        leaf = receipts.canonical(
            {
                "v": 1,
                "kind": kind,
                "time": "2026-11-23T12:00:00.000Z",
                "pair": pair,
                "facts": encode(receipts.sha256(b"sluis/v1/facts\x00", salt, facts)),
                "client": encode(client),
            }
        )
        self.leaves.append(leaf)
        opened = {"entry_key": key, "sealed": text} if who else {"entry_key": b"", "sealed": b""}
        return types.SimpleNamespace(leaf=leaf, proof="", facts=facts, facts_salt=salt, **opened)

    def checkpoint(self, size=None):
        text = f"{self.LOG}\n{size or len(self.leaves)}\n{encode(root(self.leaves))}\n"
        signature = encode(self.key_id + self.key.sign(text.encode()))
        return f"{text}\n\u2014 {self.LOG} {signature}\n"

    def proof(self, index):
        hashes = "".join(encode(sibling) + "\n" for sibling in path(index, self.leaves))
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{self.checkpoint()}"

    def verify(self):
        return receipts.verify_receipt(self.receipt, self.answer, self.vkey)

    def test_a_good_one_holds(self):
        self.assertEqual(self.verify()[0], {"purpose": "REINTEGRATION"})

    def test_the_answer_is_cut_from_its_own_bytes(self):
        self.assertEqual(receipts.without_receipt(self.answer), self.body)
        for broken in (self.answer[:-1], b"\x0d", b"\x80"):
            with self.assertRaises(ReceiptError):
                receipts.without_receipt(broken)

    def test_nothing_released_needs_no_outcome(self):
        self.receipt.entries.pop()
        with self.assertRaises(ReceiptError):
            self.verify()
        self.answer = b"\x0a\x02id" + b"\x12\x01P" + b"\x32\x03\x0a\x01r"
        self.assertEqual(len(self.verify()), 1)
        self.answer = None
        self.assertEqual(len(self.verify()), 1)

    def test_a_file_holds_all_of_it(self):
        text = receipts.to_file(self.receipt, self.answer)
        self.assertEqual(receipts.from_file(text), (self.receipt, self.body))
        twice = text.replace('"answer": ', '"answer": "", "answer": ')
        for other in ("", "[]", "{}", '{"entries": 1}', text.replace("proof", "proofs"), twice):
            with self.assertRaises(ReceiptError, msg=other):
                receipts.from_file(other)

    def test_a_signature_of_a_stranger_is_refused(self):
        for entry in self.receipt.entries:
            entry.proof += f"\u2014 witness.example {encode(b'abcd' + bytes(72))}\n"
        with self.assertRaises(ReceiptError):
            self.verify()

    def test_whatever_is_changed_is_found(self):
        def flip(data):
            return data[:-1] + (bytes([data[-1] ^ 1]) if isinstance(data, bytes) else ("A" if data[-1] != "A" else "B"))

        request, outcome = self.receipt.entries
        for entry in (request, outcome):
            for name in ("leaf", "facts", "facts_salt", "entry_key", "sealed"):
                good = getattr(entry, name)
                if good:
                    self.changed(entry, name, flip(good))
            for old, new in (("index ", "index 1"), (self.LOG, "other.example"), ("\n\n", "\n"), ("\u2014 ", "- ")):
                self.changed(entry, "proof", entry.proof.replace(old, new, 1))
            lines = entry.proof.split("\n")
            for at in range(len(lines) - 1):
                if lines[at]:
                    self.changed(entry, "proof", "\n".join([*lines[:at], lines[at][:-2] + "xx", *lines[at + 1 :]]))
        self.changed(self.receipt, "answer_salt", flip(self.receipt.answer_salt))
        self.changed(self, "answer", b"\x0a\x02ix" + self.answer[4:])
        self.changed(self, "vkey", vkey(self.LOG, Ed25519PrivateKey.generate())[0])
        self.changed(self.receipt, "entries", [outcome, request])
        self.changed(self.receipt, "entries", [request, request])
        self.changed(self.receipt, "entries", [])

    def changed(self, where, name, value):
        good = getattr(where, name)
        self.assertNotEqual(good, value)
        setattr(where, name, value)
        with self.assertRaises(ReceiptError, msg=f"{name} = {value!r}"):
            self.verify()
        setattr(where, name, good)
        self.verify()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for kept, draft in KEPT.items():
            kept.write_text(json.dumps(to_keep(draft), indent=2) + "\n", encoding="utf-8")
    else:
        unittest.main()
