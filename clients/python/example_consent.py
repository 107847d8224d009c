#!/usr/bin/env python3
"""Takes a consent through its life, as its recorder: recording, finding, renewing, pausing, invalidating, withdrawing."""

import argparse
import sys

import grpc

import sluis_client as sluis
from example import settings
from sluis_consent import Consents


class Life:
    def __init__(self, protocol, consents, form):
        self.protocol, self.consents, self.form = protocol, consents, form

    def record(self):
        self.consents.record(self.form, validate_only=True)
        print("the form would be recorded")
        recorded = self.consents.record(self.form)
        self.tell("recorded", recorded.form_id)
        return recorded

    def find(self, recorded):
        found = [consent.form_id for consent in self.consents.list(self.form["bsn"])]
        ending = [grant.grant_id for grant in self.consents.expiring(within_days=366)]
        mine = {grant.grant_id for grant in recorded.grants}
        print(f"found: {recorded.form_id in found}; grants of it that end within a year: {len(mine & set(ending))}")
        letter = self.consents.letter(recorded.form_id)
        print(f"a letter for the client: {len(letter.text.splitlines())} lines")

    def renew(self, recorded):
        """A renewal is a form that the client signs anew, on which each grant says which one it renews: the same parties
        and purpose, and no field more."""
        grants = [
            {**grant, "renews": old.grant_id, "valid_from": "today"}
            for grant, old in zip(self.form["grants"], recorded.grants, strict=True)
        ]
        today = {
            "signed_on": "today",
            "explanation": {**self.form["explanation"], "explained_on": "today"},
            "collection": {**self.form["collection"], "verified_on": "today"},
        }
        renewed = self.consents.record({**self.form, **today, "grants": grants})
        self.tell("renewed", recorded.form_id)
        self.tell("its renewal", renewed.form_id)
        return renewed

    def pause(self, recorded):
        self.consents.pause(form=recorded.form_id)
        self.tell("paused", recorded.form_id)
        self.consents.resume(form=recorded.form_id)
        self.tell("resumed", recorded.form_id)

    def withdraw(self, recorded):
        # One grant, and then the rest. `bsn=` takes all that there is of the client, other forms too.
        position = self.consents.withdraw(grant=recorded.grants[0].grant_id)
        print(f"what stands after position {position} in the log was decided without it")
        self.consents.withdraw(form=recorded.form_id)
        self.tell("withdrawn", recorded.form_id)

    def invalidate(self, recorded):
        invalidated = self.consents.invalidate("WRONG_FORM", form=recorded.form_id)
        self.tell("invalidated", recorded.form_id)
        # Each of these may be a breach (datalek): whoever received it must be told.
        print(f"what was released under it: {len(invalidated.disclosures)}")

    def listen(self):
        """What others did would come here too: a source that confirms, pauses or withdraws."""
        last = None
        for last in self.consents.watch(seconds=3):
            kind = last.WhichOneof("notice")
            print(f"told: {last.grant.kind if kind == 'grant' else 'ended on ' + last.ended.day}")
        if last:
            self.consents.acknowledge(last.cursor)

    def tell(self, what, form_id):
        grants = self.consents.show(form_id).grants
        print(f"{what}: form {form_id}, {', '.join(self.protocol.status(grant) for grant in grants)}")


def main():
    given = settings(argparse.ArgumentParser(description=__doc__))
    protocol = sluis.Protocol()
    key = sluis.load_signing_key(given.signing_key)
    with sluis.connect(
        given.gateway, given.ca, given.recorder_certificate, given.recorder_key, given.server_name
    ) as channel:
        life = Life(protocol, Consents(protocol, channel, given.kid, key), sluis.load_json(given.form))
        try:
            recorded = life.record()
            life.find(recorded)
            renewed = life.renew(recorded)
            life.pause(renewed)
            life.withdraw(renewed)
            life.invalidate(life.record())
            life.listen()
        except grpc.RpcError as error:
            print(f"refused: {sluis.refusal(error)}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
