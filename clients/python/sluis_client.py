"""A small client of the gateway: signs a consent as a recorder, asks as a requester. No dependency of ours: gRPC, and
cryptography for the signatures. Read it to write your own."""

import atexit
import base64
import datetime
import hashlib
import json
import pathlib
import re
import secrets
import sys
import tempfile
import uuid

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# All but `canonical` are part of what this module offers.
from sluis_receipt import ReceiptError, canonical, to_file, verify_receipt  # noqa: F401
from sluis_refusal import refusal  # noqa: F401

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


class Protocol:
    """The messages of the gateway, generated from `proto/` when it is made."""

    def __init__(self, proto=PROTO):
        from grpc_tools import protoc

        folder = tempfile.TemporaryDirectory(prefix="sluis-python-")
        atexit.register(folder.cleanup)
        include = pathlib.Path(protoc.__file__).parent / "_proto"
        names = sorted(f"sluis/v1/{path.name}" for path in (proto / "sluis" / "v1").glob("*.proto"))
        arguments = ["protoc", f"-I{proto}", f"-I{include}", f"--python_out={folder.name}", *names]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"cannot generate code from {proto}")
        sys.path.insert(0, folder.name)
        from sluis.v1 import catalogue_options_pb2, consent_pb2, exchange_pb2, work_capacity_pb2

        self.consent, self.exchange = consent_pb2, exchange_pb2
        self.paths = {}
        for group in work_capacity_pb2.WorkCapacity.DESCRIPTOR.fields:
            for field in group.message_type.fields:
                code = field.GetOptions().Extensions[catalogue_options_pb2.field].code
                if code:
                    self.paths[code] = f"{group.name}.{field.name}"

    def delivered(self, work_capacity):
        """Paths of the fields that a message holds, without the metadata of its groups."""
        held = set()
        for group, message in work_capacity.ListFields():
            held |= {f"{group.name}.{field.name}" for field, _ in message.ListFields() if field.name != "assessment"}
        return held

    def status(self, grant):
        """Status of a grant by its name, such as `IN_FORCE`; `UNSPECIFIED` where the caller is not told."""
        return self.consent.GrantStatus.Name(grant.status).removeprefix("GRANT_STATUS_")


def connect(address, ca, certificate, key, server_name=None):
    """A channel with mutual TLS. Arguments are paths of PEM files; `key` belongs to `certificate`."""
    read = lambda path: pathlib.Path(path).read_bytes()  # noqa: E731
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(certificate))
    options = [("grpc.ssl_target_name_override", server_name)] if server_name else []
    return grpc.secure_channel(address, credentials, options)


# Forms and grants


def load_signing_key(path):
    """An Ed25519 key in PKCS#8, as PEM or DER."""
    data = pathlib.Path(path).read_bytes()
    if b"-----BEGIN" in data:
        body = re.sub(rb"-----[^-]+-----|\s", b"", data)
        data = base64.b64decode(body)
    try:
        key = serialization.load_der_private_key(data, None)
    except ValueError:
        # Version 2 of PKCS#8 has the public key too, and not every OpenSSL reads it: take the seed out.
        at = data.find(b"\x04\x22\x04\x20")
        if at < 0:
            raise
        key = Ed25519PrivateKey.from_private_bytes(data[at + 4 : at + 36])
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")
    return key


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws(payload, typ, kid, key):
    """A compact JWS (RFC 7515) with EdDSA (RFC 8037)."""
    header = canonical({"alg": "EdDSA", "kid": kid, "typ": typ})
    signed = f"{b64url(header)}.{b64url(payload)}"
    return f"{signed}.{b64url(key.sign(signed.encode()))}"


def day(text, today):
    """A day: `2026-10-05`, or relative as in `today`, `today-14` and `today+300`."""
    relative = re.fullmatch(r"today([+-]\d+)?", text)
    if relative:
        return (today + datetime.timedelta(days=int(relative[1] or 0))).isoformat()
    return datetime.date.fromisoformat(text).isoformat()


def utc_today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def sign_form(form, kid, key, today=None, new_id=uuid.uuid4, new_salt=lambda: secrets.token_bytes(32)):
    """Signs a form as in `demo/forms/`: the JWS of the form, and JWS and salt of each grant. Whoever may have to send a
    form again keeps what this gives: signed anew it is another form."""
    today = today or utc_today()
    form_id = str(new_id())
    grants, named = [], []
    for grant in form.get("grants", []):
        salt, grant_id = new_salt(), str(new_id())
        payload = canonical(grant_payload(form, grant, form_id, grant_id, salt, today))
        named.append({"grant_id": grant_id, "sha256": hashlib.sha256(payload).hexdigest()})
        grants.append((jws(payload, "sluis.grant", kid, key), salt))
    payload = canonical(form_payload(form, form_id, named, today))
    return jws(payload, "sluis.form", kid, key), grants


def grant_payload(form, grant, form_id, grant_id, salt, today):
    """What is signed of a grant. A source is shown this and not the form, so part of the form stands in it again."""
    payload = {
        "v": 2,
        "typ": "sluis.grant",
        "grant_id": grant_id,
        "form_id": form_id,
        "recorder": form["recorder"],
        "signed_on": day(form["signed_on"], today),
        "evidence_sha256": form["sha256"],
        "person": b64url(hashlib.sha256(salt + form["bsn"].encode()).digest()),
        "recipient": grant["recipient"],
        "role": grant["role"],
        "purpose": grant["purpose"],
        "source": grant["source"],
        "fields": grant["fields"],
        "given_by": form["grantor"]["kind"],
        "context": form["collection"]["context"],
        "valid_from": day(grant["valid_from"], today),
        "valid_until": day(grant["valid_until"], today),
    }
    # An empty list is left out: one content has one form. A number is not: `uses` of 0 is to be refused, not unlimited.
    payload |= {name: grant[name] for name in ("sensitive", "excluded") if grant.get(name)}
    return payload | {name: grant[name] for name in ("uses", "renews") if grant.get(name) is not None}


def form_payload(form, form_id, named, today):
    """What is signed of a form; `named` are the id and the SHA-256 of each of its grants."""
    explanation, collection, grantor = form["explanation"], form["collection"], form["grantor"]
    payload = {
        "v": 2,
        "typ": "sluis.form",
        "consent_type": "EXPLICIT_WRITTEN_SIGNED",
        "form_id": form_id,
        "recorder": form["recorder"],
        "evidence": {
            "form_number": form["form_number"],
            "form_version": form["form_version"],
            "signed_on": day(form["signed_on"], today),
            "custodian": form["custodian"],
            "media_type": form["media_type"],
            "size": form["size"],
            "sha256": form["sha256"],
        },
        "explanation": {**explanation, "explained_on": day(explanation["explained_on"], today)},
        # That refusal has no consequence was said to the client: the form would not be one otherwise (R12).
        "collection": {
            **collection,
            "refusal_without_consequence": True,
            "verified_on": day(collection["verified_on"], today),
        },
        "grantor": {**grantor, **{name: day(grantor[name], today) for name in ("from", "until") if name in grantor}},
        "grants": named,
    }
    if form.get("refusals"):
        payload["refusals"] = form["refusals"]
    return payload


def sign_reconfirmation(form_id, recorder, context, confirmed_on, confirmed_with, kid, key, today=None):
    """Signs that the client confirmed a form on a later day, where he was free (R13), to someone of this role."""
    payload = {
        "v": 2,
        "typ": "sluis.reconfirmation",
        "form_id": form_id,
        "recorder": recorder,
        "context": context,
        "confirmed_on": day(confirmed_on, today or utc_today()),
        "confirmed_with": confirmed_with,
    }
    return jws(canonical(payload), "sluis.reconfirmation", kid, key)


# Calls. Those about consents are in `sluis_consent.py`.


def request(protocol, channel, bsn, purpose, role, paths, user_id, timeout=30):
    """Asks as a requester. Gives the answer, and its bytes as they came: the receipt is about those."""
    question = protocol.exchange.RequestWorkCapacityRequest(
        request_id=str(uuid.uuid4()),
        bsn=bsn,
        purpose=purpose,
        role=role,
        user_id=user_id,
        necessity=protocol.exchange.NECESSITY_PROFESSIONAL_ASSESSMENT_NEEDED,
    )
    question.fields.paths.extend(paths)
    call = channel.unary_unary(
        "/sluis.v1.ExchangeService/RequestWorkCapacity",
        request_serializer=type(question).SerializeToString,
        response_deserializer=bytes,
    )
    answer = call(question, timeout=timeout)
    return protocol.exchange.RequestWorkCapacityResponse.FromString(answer), answer


def load_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
