"""Consents over their life, against a region that runs: `SLUIS_PROFILE=.../python.json python -m unittest test_life`.
The gateway's own tests start one (tests/python_client.rs). Each test has a client of its own, so none disturbs another."""

import copy
import os
import pathlib
import unittest
import uuid

import grpc

import sluis_client as sluis
from sluis_consent import Consents, verify_countersignature

HERE = pathlib.Path(__file__).resolve().parent
PROFILE = os.environ.get("SLUIS_PROFILE")
KADE, UWV, WATERRIJK = "00000099000003001000", "00000099000002001000", "00000099000001001000"
# Clients of whom both sources hold something. Some tests ask about theirs; what the others record is not asked for.
RENEWED, PAGED, DECLINED = "999991528", "999991772", "999990561"
CLIENTS = iter(["999990287", "999990809", "999990974", "999991425", "999992041", "999992089", "999992387", "999992582"])


@unittest.skipUnless(PROFILE, "needs a region; SLUIS_PROFILE names its profile")
class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.profile = pathlib.Path(PROFILE).parent, sluis.load_json(PROFILE)
        cls.protocol = sluis.Protocol()
        cls.main = sluis.load_json(HERE.parents[1] / "demo" / "forms" / "main.json")
        cls.kade, cls.uwv = cls.organisation("kade"), cls.organisation("uwv")

    @classmethod
    def channel(cls, name):
        certificates = cls.folder / "certs"
        channel = sluis.connect(
            cls.profile["gateway"], certificates / "ca.pem", certificates / f"{name}.pem", certificates / f"{name}.key"
        )
        cls.addClassCleanup(channel.close)
        return channel

    @classmethod
    def organisation(cls, name):
        key = sluis.load_signing_key(cls.folder / "signing" / f"{name}-1.pem")
        return Consents(cls.protocol, cls.channel(name), f"{name}-1", key)

    def form(self, bsn=None, **changed):
        """A form of which both grants come into force when it is recorded: UWV confirms the first, De Kade records it."""
        return copy.deepcopy(self.main) | {"bsn": bsn or next(CLIENTS)} | changed

    def statuses(self, form_id, consents=None):
        return [self.protocol.status(grant) for grant in (consents or self.kade).show(form_id).grants]

    def ask(self, form):
        grants = form["grants"]
        paths = [self.protocol.paths[code] for grant in grants for code in grant["fields"]]
        first = grants[0]
        with sluis.connect(
            self.profile["gateway"],
            self.folder / "certs" / "ca.pem",
            self.folder / "certs" / "waterrijk.pem",
            self.folder / "certs" / "waterrijk.key",
        ) as channel:
            purpose, user = first["purpose"], str(uuid.uuid4())
            return sluis.request(self.protocol, channel, form["bsn"], purpose, first["role"], paths, user)[0]

    def assertRefused(self, reason, call, *arguments, **named):
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, **named)
        refused = sluis.refusal(raised.exception)
        self.assertEqual(refused.reason, reason, refused)
        return refused

    # Recording

    def test_what_is_validated_only_is_not_recorded(self):
        form = self.form()
        checked = self.kade.record(form, validate_only=True)
        self.assertEqual((checked.log_position, len(checked.grants)), (0, 2))
        self.assertRefused("CONSENT_NOT_FOUND", self.kade.show, checked.form_id)
        self.assertEqual(self.kade.list(form["bsn"]), [])
        # The form that uses all of the format passes every check that does not look at what stands.
        full = self.kade.record(sluis.load_json(HERE / "full-form.json"), validate_only=True)
        self.assertEqual((full.grants[0].uses, full.grants[0].excluded), (3, ["WT-12", "WT-13"]))
        self.assertRefused("RENEWAL_INVALID", self.kade.record, sluis.load_json(HERE / "full-form.json"))

    def test_a_recorded_form_is_found(self):
        form = self.form()
        signed, grants = sluis.sign_form(form, self.kade._kid, self.kade._key)
        recorded = self.kade.record_signed(form["bsn"], signed, grants)
        self.assertGreater(recorded.log_position, 0)
        again = self.assertRefused("FORM_ID_USED", self.kade.record_signed, form["bsn"], signed, grants)
        self.assertEqual(again.status, "ALREADY_EXISTS")

        shown = self.kade.show(recorded.form_id)
        self.assertEqual(self.kade.list(form["bsn"]), [shown])
        self.assertEqual((shown.recorder, shown.evidence_sha256), (KADE, form["sha256"]))
        self.assertEqual((shown.evidence.size, shown.explanation.reading_level), (form["size"], "B1"))
        self.assertEqual(list(shown.collection.withdrawal), form["collection"]["withdrawal"])
        self.assertEqual((shown.grantor.kind, shown.grantor.client_age), ("CLIENT", "ADULT"))
        for grant, (text, _) in zip(shown.grants, grants, strict=True):
            self.assertEqual(self.protocol.status(grant), "IN_FORCE")
            # Of one entry of the log, so at one moment.
            self.assertCountEqual([event.kind for event in grant.events], ["recorded", "confirmed"])
            self.assertEqual({event.log_position for event in grant.events}, {recorded.log_position})
            given = (grant.countersignature, text, signed, self.profile["log_vkey"])
            counter = verify_countersignature(*given)
            self.assertEqual((counter["grant_id"], counter["form_id"]), (grant.grant_id, recorded.form_id))
            self.assertTrue(counter["basis_disclosure"])
            header, content, signature = grant.countersignature.split(".")
            forged = f"{header}.{content[:-1]}{'A' if content[-1] != 'A' else 'B'}.{signature}"
            for other in (
                (forged, *given[1:]),
                ("a.b", *given[1:]),
                # What its recorder signed is no countersignature, nor is this one about anything else.
                (text, *given[1:]),
                (given[0], signed, *given[2:]),
                (*given[:2], text, given[3]),
            ):
                with self.assertRaises(sluis.ReceiptError):
                    verify_countersignature(*other)

        # A source sees its own grant, and a stranger nothing.
        self.assertEqual([grant.source for grant in self.uwv.show(recorded.form_id).grants], [UWV])
        self.assertRefused("CONSENT_NOT_FOUND", self.organisation("veer").show, recorded.form_id)

        ids = {grant.grant_id for grant in recorded.grants}
        ending = lambda days: {grant.grant_id for grant in self.kade.expiring(days)} & ids  # noqa: E731
        self.assertEqual((ending(366), ending(299)), (ids, set()))

        letter, english = self.kade.letter(recorded.form_id), self.kade.letter(recorded.form_id, "en")
        for text in (letter.text, letter.html, english.text):
            self.assertIn("Gemeente Waterrijk", text)
        self.assertNotEqual(letter.text, english.text)
        self.assertNotIn(form["bsn"], letter.text)
        self.assertRefused("LANGUAGE_UNKNOWN", self.kade.letter, recorded.form_id, "fr")

    def test_a_refusal_names_field_and_rule(self):
        bsn = next(CLIENTS)
        wide, harder, uses, never = (self.form(bsn) for _ in range(4))
        wide["grants"][1]["fields"] = ["*"]
        harder["collection"]["withdrawal"] = ["PHONE"]
        uses["grants"][0]["uses"] = 0
        never["grants"][0]["renews"] = str(uuid.uuid4())
        for form, field, reason, rule in (
            (wide, "grants[1].fields[0]", "FORM_TOO_WIDE", "R06"),
            (self.form(bsn, size=0), "form.evidence.size", "FORM_EVIDENCE_MISSING", "R05"),
            (harder, "form.collection.withdrawal", "FORM_WITHDRAWAL_HARDER", "R12"),
            (uses, "grants[0].uses", "FORM_TOO_WIDE", "R06"),
        ):
            refused = self.assertRefused(reason, self.kade.record, form)
            self.assertEqual((refused.rule, list(refused.fields)), (rule, [field]))
        self.assertRefused("RENEWAL_INVALID", self.kade.record, never)
        self.assertEqual(self.kade.list(bsn), [])

    def test_of_several_selectors_none_is_sent(self):
        for call in (self.kade.pause, self.kade.resume, self.kade.withdraw):
            for named in ({}, {"grant": "a", "form": "b"}):
                with self.assertRaises(ValueError):
                    call(**named)
        with self.assertRaises(ValueError):
            self.kade.invalidate("NO_REASON", form="a")

    # Changing

    def test_from_renewal_to_invalidation(self):
        form = self.form(RENEWED)
        first = self.kade.record(form)
        self.assertTrue(self.ask(form).disclosures)

        renewal = copy.deepcopy(form)
        for grant, old in zip(renewal["grants"], first.grants, strict=True):
            grant["renews"] = old.grant_id
        second = self.kade.record(renewal)
        self.assertEqual(self.statuses(first.form_id), ["RENEWED"] * 2)
        self.assertEqual(self.statuses(second.form_id), ["IN_FORCE"] * 2)
        self.assertEqual([grant.renews for grant in second.grants], [grant.grant_id for grant in first.grants])

        self.kade.pause(form=second.form_id)
        self.assertEqual(self.statuses(second.form_id), ["PAUSED"] * 2)
        self.assertFalse(self.ask(form).disclosures)
        self.kade.resume(grant=second.grants[0].grant_id)
        self.assertEqual(self.statuses(second.form_id), ["IN_FORCE", "PAUSED"])
        self.kade.resume(form=second.form_id)
        released = self.ask(form)
        self.assertEqual({disclosure.source.oin for disclosure in released.disclosures}, {KADE, UWV})

        self.kade.withdraw(grant=second.grants[0].grant_id)
        self.assertEqual(self.statuses(second.form_id), ["WITHDRAWN", "IN_FORCE"])
        self.assertRefused("GRANT_OVER", self.kade.pause, grant=second.grants[0].grant_id)

        self.assertRefused("CONSENT_NOT_FOUND", self.uwv.invalidate, "NOT_SIGNED", form=second.form_id)
        invalidated = self.kade.invalidate("WRONG_PERSON", form=second.form_id)
        self.assertEqual(self.statuses(second.form_id), ["INVALIDATED"] * 2)
        self.assertEqual(
            {record.grant_id for record in invalidated.disclosures}, {grant.grant_id for grant in second.grants}
        )
        for record in invalidated.disclosures:
            self.assertEqual((record.recipient, record.role), (WATERRIJK, "gem.klantmanager"))
            self.assertTrue(record.fields)
            self.assertLess(record.log_position, invalidated.log_position)
        kinds = [event.kind for event in self.kade.show(second.form_id).grants[0].events]
        self.assertCountEqual(kinds[:2], ["recorded", "confirmed"])
        self.assertEqual(kinds[2:], ["paused", "resumed", "withdrawn", "invalidated"])

    def test_withdrawing_by_client(self):
        for selector in ("bsn", "everything_of_bsn"):
            form = self.form()
            recorded = self.kade.record(form)
            position = self.kade.withdraw(**{selector: form["bsn"]})
            self.assertGreater(position, recorded.log_position)
            self.assertEqual(self.statuses(recorded.form_id), ["WITHDRAWN"] * 2)
        # The same answer about a client of whom nothing is known.
        self.assertGreater(self.kade.withdraw(bsn="999993471"), position)

    def test_where_he_was_not_free_he_confirms(self):
        form = self.form()
        form["collection"]["context"] = "INTAKE"
        recorded = self.kade.record(form)
        self.assertEqual(self.statuses(recorded.form_id), ["NOT_RECONFIRMED"] * 2)
        again = (recorded.form_id, KADE, "INTAKE", "ggz.trajectbegeleider")
        refused = self.assertRefused("FORM_NOT_FREE", self.kade.reconfirm, *again)
        self.assertEqual((refused.rule, list(refused.fields)), ("R13", ["reconfirmation.context"]))
        self.kade.reconfirm(recorded.form_id, KADE, "GUIDANCE_TALK", "ggz.trajectbegeleider")
        self.assertEqual(self.statuses(recorded.form_id), ["IN_FORCE"] * 2)

    # As a source, and being told

    def test_a_source_confirms_pauses_and_sees_what_left(self):
        form = self.form(DECLINED)
        recorded = self.kade.record(form)
        self.assertEqual(self.statuses(recorded.form_id), ["RECORDED", "IN_FORCE"])
        of_uwv, of_kade = (grant.grant_id for grant in recorded.grants)
        self.uwv.confirm(of_uwv)
        self.assertRefused("CONSENT_NOT_FOUND", self.uwv.confirm, of_kade)
        self.assertEqual(self.statuses(recorded.form_id), ["IN_FORCE"] * 2)

        self.uwv.pause_source()
        try:
            self.assertEqual(self.statuses(recorded.form_id), ["PAUSED", "IN_FORCE"])
        finally:
            self.uwv.resume_source()
        self.assertEqual(self.statuses(recorded.form_id), ["IN_FORCE"] * 2)
        # What another put on, a recorder does not lift.
        self.uwv.pause(grant=of_uwv)
        self.kade.resume(grant=of_uwv)
        self.assertEqual(self.statuses(recorded.form_id), ["PAUSED", "IN_FORCE"])
        self.uwv.resume(grant=of_uwv)

        for _ in range(3):
            self.ask(form)
        left = list(self.kade.disclosures(form["bsn"]))
        self.assertEqual([record.grant_id for record in left], [of_kade] * 3)
        self.assertEqual(left, sorted(left, key=lambda record: -record.log_position))
        for size in (1, 2):
            self.assertEqual(list(self.kade.disclosures(form["bsn"], page_size=size)), left)
        self.assertEqual(list(self.kade.disclosures("999993471")), [])
        self.assertRefused("LIMIT_INVALID", list, self.kade.disclosures(page_size=501))

    def test_a_page_may_end_within_one_outcome(self):
        form = self.form(PAGED)
        form["grants"] = [form["grants"][1], copy.deepcopy(form["grants"][1])]
        form["grants"][0]["fields"], form["grants"][1]["fields"] = ["VW-02", "VW-04"], ["TR-01", "TR-03", "TR-04"]
        recorded = self.kade.record(form)
        self.ask(form)
        self.ask(form)
        left = list(self.kade.disclosures(form["bsn"]))
        self.assertEqual({record.grant_id for record in left}, {grant.grant_id for grant in recorded.grants})
        # A page that is smaller than one outcome is cut short by the gateway.
        for size in (2, 3, 4, 5):
            self.assertEqual(list(self.kade.disclosures(form["bsn"], page_size=size)), left, f"pages of {size}")

    def test_what_happens_is_told_in_order_until_it_is_acknowledged(self):
        recorder, source = self.organisation("kade"), self.organisation("uwv")
        # From here on; before it stands what the other tests did.
        for consents in (recorder, source):
            before = list(consents.watch(seconds=2))
            if before:
                consents.acknowledge(before[-1].cursor)
        recorded = recorder.record(self.form())
        of_uwv, of_kade = (grant.grant_id for grant in recorded.grants)
        both = sorted([of_uwv, of_kade])

        watching = recorder.watch(seconds=60)
        told = [next(watching) for _ in range(4)]
        self.assertCountEqual(
            [(notice.grant.grant_id, notice.grant.kind) for notice in told],
            [(grant, kind) for grant in both for kind in ("recorded", "confirmed")],
        )
        self.assertEqual({notice.grant.form_id for notice in told}, {recorded.form_id})
        # It goes on while it is watched.
        source.pause(grant=of_uwv)
        source.resume(grant=of_uwv)
        recorder.withdraw(grant=of_kade)
        later = [next(watching) for _ in range(3)]
        watching.close()
        expected = [(of_uwv, "source_paused"), (of_uwv, "source_resumed"), (of_kade, "withdrawn")]
        self.assertEqual([(notice.grant.grant_id, notice.grant.kind) for notice in later], expected)
        # A source is told of its own grants alone.
        seen = [(notice.grant.grant_id, notice.grant.kind) for notice in source.watch(seconds=2)]
        self.assertCountEqual(seen[:2], [(of_uwv, "recorded"), (of_uwv, "confirmed")])
        self.assertEqual(seen[2:], expected[:2])

        # After a cursor, and after what was acknowledged; both begin with the next.
        resumed = recorder.watch(after=told[-1].cursor, seconds=60)
        self.assertEqual([next(resumed) for _ in range(3)], later)
        resumed.close()
        recorder.acknowledge(later[0].cursor)
        resumed = recorder.watch(seconds=60)
        self.assertEqual([next(resumed) for _ in range(2)], later[1:])
        resumed.close()
        recorder.acknowledge(later[-1].cursor)
        self.assertEqual(list(recorder.watch(seconds=2)), [])
        self.assertRefused("CURSOR_INVALID", recorder.acknowledge, "1")


if __name__ == "__main__":
    unittest.main()
