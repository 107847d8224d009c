"""Consents over their life: every call of `ConsentService`. Who may do what is the gateway's to say; docs/consent.md
describes it. A refused call raises `grpc.RpcError`, which `sluis_client.refusal` reads."""

import base64
import hashlib
import time

import grpc
from cryptography.exceptions import InvalidSignature

import sluis_client as sluis
from sluis_receipt import ReceiptError, read_canonical, read_vkey


class Consents:
    """The consents of one organisation, over a channel with its certificate. Only what is signed needs `kid` and `key`."""

    def __init__(self, protocol, channel, kid=None, key=None, timeout=30):
        self._messages, self._channel = protocol.consent, channel
        self._kid, self._key, self._timeout = kid, key, timeout

    # Recording, as a recorder

    def record(self, form, validate_only=False):
        """Signs a form and records it. With `validate_only` all of it is checked, and nothing recorded."""
        signed, grants = sluis.sign_form(form, self._kid, self._key)
        return self.record_signed(form["bsn"], signed, grants, validate_only)

    def record_signed(self, bsn, form, grants, validate_only=False):
        """Records what `sign_form` gave. Sent once more it is recorded once: the second time it is `FORM_ID_USED`."""
        grants = [self._messages.SignedGrant(jws=text, binding_salt=salt) for text, salt in grants]
        return self._call("RecordConsent", bsn=bsn, form=form, grants=grants, validate_only=validate_only)

    def reconfirm(self, form_id, recorder, context, confirmed_with, confirmed_on="today"):
        """Records that the client confirmed, where he was free, a form that he signed where he was not (R13)."""
        signed = sluis.sign_reconfirmation(
            form_id, recorder, context, confirmed_on, confirmed_with, self._kid, self._key
        )
        return self._call("ReconfirmConsent", reconfirmation=signed).log_position

    # Finding

    def show(self, form_id):
        """One form. Its recorder sees all of its grants, a source its own."""
        return self._call("GetConsent", form_id=form_id)

    def list(self, bsn):
        """The forms of one client that the caller recorded, newest first."""
        return list(self._call("ListConsents", bsn=bsn).consents)

    def expiring(self, within_days=0):
        """The grants that the caller recorded and that end within so many days, soonest first; 0 is 60 days."""
        return list(self._call("ListExpiring", within_days=within_days).grants)

    def letter(self, form_id, language=""):
        """The letter for the client, as `text` and as `html`, in `nl` or `en`; Dutch if nothing is said."""
        return self._call("GetConsentLetter", form_id=form_id, language=language)

    # Stopping. Each gives a position in the log: what stands after it was decided without these grants.

    def pause(self, *, grant=None, form=None):
        """Stops a grant or a form for a time."""
        return self._call("PauseConsent", **_selector(grant_id=grant, form_id=form)).log_position

    def resume(self, *, grant=None, form=None):
        """Lifts a pause that the caller put on."""
        return self._call("ResumeConsent", **_selector(grant_id=grant, form_id=form)).log_position

    def withdraw(self, *, grant=None, form=None, bsn=None, everything_of_bsn=None):
        """Withdraws for good: a grant, a form, what the caller recorded or is a source of about a client, or, because the
        client says so, all that there is about him. By client the answer is the same whether he is known or not."""
        selector = _selector(grant_id=grant, form_id=form, bsn=bsn, everything_of_bsn=everything_of_bsn)
        return self._call("WithdrawConsent", **selector).log_position

    def invalidate(self, reason, *, grant=None, form=None):
        """Says that it should never have been recorded: `WRONG_PERSON`, `WRONG_FORM` or `NOT_SIGNED`. The answer lists what
        was released under it, which may be a breach."""
        reason = self._messages.InvalidationReason.Value(f"INVALIDATION_REASON_{reason}")
        return self._call("InvalidateConsent", reason=reason, **_selector(grant_id=grant, form_id=form))

    # As a source

    def confirm(self, grant_id):
        """Confirms a grant that was not confirmed when it was recorded."""
        return self._call("ConfirmGrant", grant_id=grant_id).log_position

    def pause_source(self):
        """Stops everything of the caller, for all clients, grants to come included."""
        return self._call("PauseSource").log_position

    def resume_source(self):
        """Lifts that again."""
        return self._call("ResumeSource").log_position

    def disclosures(self, bsn="", page_size=0):
        """What left the caller through the gateway, newest first, page after page as it is read."""
        page_token = ""
        while True:
            page = self._call("ListDisclosures", bsn=bsn, page_size=page_size, page_token=page_token)
            yield from page.disclosures
            page_token = page.next_page_token
            if not page_token:
                return

    # Being told

    def watch(self, after="", seconds=None):
        """What happens, as it happens: after a cursor, or where the caller has acknowledged. The gateway ends a stream
        every few minutes, so that the caller is authenticated anew; this goes on from there. It ends after so many
        seconds, or never.

        Several notices may come of one entry of the log. Only the last of them moves the cursor on: what was acknowledged
        half-way comes again as a whole."""
        ends = None if seconds is None else time.monotonic() + seconds
        while ends is None or time.monotonic() < ends:
            stream = self._stream("WatchConsentEvents", ends, after=after)
            try:
                for notice in stream:
                    after = notice.cursor
                    yield notice
            except grpc.RpcError as error:
                if ends is None or error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise
            finally:
                stream.cancel()

    def acknowledge(self, cursor):
        """Takes note of everything up to a notice: the next watch begins after it, whoever of the caller's watches."""
        return self._call("AcknowledgeConsentEvents", cursor=cursor).log_position

    # How a call is made

    def _call(self, name, **fields):
        return self._method("unary_unary", name)(self._request(name, fields), timeout=self._timeout)

    def _stream(self, name, ends, **fields):
        seconds = None if ends is None else max(ends - time.monotonic(), 0)
        return self._method("unary_stream", name)(self._request(name, fields), timeout=seconds)

    def _method(self, shape, name):
        method = self._messages.DESCRIPTOR.services_by_name["ConsentService"].methods_by_name[name]
        # By the descriptor, since an answer is not always called after its call.
        request, answer = (getattr(self._messages, kind.name) for kind in (method.input_type, method.output_type))
        return getattr(self._channel, shape)(
            f"/sluis.v1.ConsentService/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )

    def _request(self, name, fields):
        return getattr(self._messages, f"{name}Request")(**fields)


def _selector(**named):
    """The one that is named. Left to protobuf, the last of several would win without a word."""
    given = {name: value for name, value in named.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"name exactly one of: {', '.join(named)}")
    return given


def verify_countersignature(countersignature, grant_jws, form_jws, log_vkey):
    """What the gateway says that it recorded of a grant: when, under which policy, on which legal bases. Raises
    `ReceiptError` unless it is signed with the key of the log, and about this grant on this form as they were signed."""
    _, _, key = read_vkey(log_vkey)
    try:
        header, content, signature = countersignature.split(".")
        signed = f"{header}.{content}".encode()
        header, content, signature = (
            base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True) for part in (header, content, signature)
        )
        key.verify(signature, signed)
    except (ValueError, InvalidSignature):
        raise ReceiptError("the countersignature is not one with this key") from None
    header, content = read_canonical(header), read_canonical(content)
    if header.get("typ") != "sluis.countersignature" or header.get("alg") != "EdDSA":
        raise ReceiptError("not a countersignature")
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in (grant_jws, form_jws)]
    if [content.get("grant_sha256"), content.get("form_sha256")] != digests:
        raise ReceiptError("the countersignature is about another grant")
    return content
