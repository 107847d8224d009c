#!/usr/bin/env python3
"""Records a consent, asks under it, verifies the receipt, and prints what came. Exit status 0 only if all of it held."""

import argparse
import pathlib
import sys
import uuid

import grpc

import sluis_client as sluis
from sluis_consent import Consents

SETTINGS = {
    "gateway": "host and port of the gateway, such as localhost:7443",
    "server_name": "name in the gateway's certificate, if it is not the host",
    "ca": "certificates that are trusted (PEM)",
    "log_vkey": "public key of the log: a C2SP verifier key, or a file that holds it",
    "recorder_certificate": "certificate of the recorder (PEM)",
    "recorder_key": "its private key (PEM)",
    "signing_key": "key with which the recorder signs forms (PKCS#8, PEM or DER)",
    "kid": "name under which that key is registered",
    "requester_certificate": "certificate of the requester (PEM)",
    "requester_key": "its private key (PEM)",
    "form": "form to record, as in demo/forms/",
}


def settings(parser):
    """The settings, from a profile and from arguments."""
    parser.add_argument("--profile", type=pathlib.Path, help="JSON file with the settings below; paths relative to it")
    for name, text in SETTINGS.items():
        parser.add_argument("--" + name.replace("_", "-"), help=text)
    arguments = parser.parse_args()
    given = {}
    if arguments.profile:
        given = sluis.load_json(arguments.profile)
        unknown = sorted(given.keys() - SETTINGS.keys())
        if unknown:
            parser.error(f"the profile has settings that are not known: {', '.join(unknown)}")
        files = SETTINGS.keys() - {"gateway", "server_name", "kid"}
        if "+" in given.get("log_vkey", ""):  # the key itself
            files -= {"log_vkey"}
        folder = arguments.profile.resolve().parent
        given = {name: str(folder / value) if name in files else value for name, value in given.items()}
    given |= {name: value for name, value in vars(arguments).items() if value is not None and name in SETTINGS}
    missing = [name for name in SETTINGS if name not in given and name != "server_name"]
    if missing:
        parser.error(f"missing: {', '.join(missing)}")
    given.setdefault("server_name", None)
    key_file = pathlib.Path(given["log_vkey"])
    if "+" not in given["log_vkey"] and key_file.is_file():
        given["log_vkey"] = key_file.read_text(encoding="utf-8").strip()
    return argparse.Namespace(**vars(arguments) | given)


def record(protocol, given, form):
    with sluis.connect(
        given.gateway, given.ca, given.recorder_certificate, given.recorder_key, given.server_name
    ) as channel:
        consents = Consents(protocol, channel, given.kid, sluis.load_signing_key(given.signing_key))
        recorded = consents.record(form)
    print(f"recorded form {recorded.form_id} with {len(recorded.grants)} grants, log position {recorded.log_position}")


def ask(protocol, given, form):
    grants = form["grants"]
    first = grants[0]
    codes = sorted({code for grant in grants for code in grant["fields"]})
    with sluis.connect(
        given.gateway, given.ca, given.requester_certificate, given.requester_key, given.server_name
    ) as channel:
        paths = [protocol.paths[code] for code in codes]
        # A real system leads this back to the user who asks; here nobody does.
        user = str(uuid.uuid4())
        return sluis.request(protocol, channel, form["bsn"], first["purpose"], first["role"], paths, user)


def show(protocol, answer):
    for disclosure in answer.disclosures:
        print(f"\n{disclosure.source.name} ({disclosure.source.oin}), ask: {disclosure.source.contact_role}")
        for line in str(disclosure.work_capacity).splitlines():
            print("  " + line)
        print(f"  for {disclosure.duties.purpose} only, until {disclosure.duties.use_until.ToJsonString()}")
    for name in ("not_provided", "above_ceiling"):
        paths = getattr(answer, name).paths
        if paths:
            print(f"{name}: {', '.join(paths)}")


def beyond_consent(protocol, form, answer):
    """Fields that came from a source without a grant for them. There are none, or the gateway is broken."""
    found = []
    for disclosure in answer.disclosures:
        granted = {
            protocol.paths[code]
            for grant in form["grants"]
            if grant["source"] == disclosure.source.oin
            for code in grant["fields"]
        }
        found += sorted(protocol.delivered(disclosure.work_capacity) - granted)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipt", type=pathlib.Path, help="new file to keep the receipt and the answer in")
    given = settings(parser)
    protocol = sluis.Protocol()
    form = sluis.load_json(given.form)
    try:
        record(protocol, given, form)
        answer, raw = ask(protocol, given, form)
    except grpc.RpcError as error:
        print(f"refused: {sluis.refusal(error)}", file=sys.stderr)
        return 1
    show(protocol, answer)
    if not answer.disclosures:
        print("nothing was provided", file=sys.stderr)
        return 1
    beyond = beyond_consent(protocol, form, answer)
    if beyond:
        print(f"came without consent: {', '.join(beyond)}", file=sys.stderr)
        return 1
    try:
        facts = sluis.verify_receipt(answer.receipt, raw, given.log_vkey)
    except sluis.ReceiptError as error:
        print(f"the receipt does not hold: {error}", file=sys.stderr)
        return 1
    if given.receipt:
        with given.receipt.open("x", encoding="utf-8") as file:
            file.write(sluis.to_file(answer.receipt, raw))
    print(f"\nthe receipt holds: {len(facts)} entries of the log, and the answer is the one that was logged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
