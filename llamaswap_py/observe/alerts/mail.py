"""One message by SMTP: written, sent, and what came of it. Blocks: called in a thread."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from llamaswap_py.config.values import Receiver
from llamaswap_py.observe.alerts.outbox import Parcel, Trouble
from llamaswap_py.observe.alerts.rules import TEST
from llamaswap_py.observe.alerts.wording import sentence, stamp, title

SECONDS = 30.0  # for each step of the conversation
PERMANENT = 500  # codes from here on are no


def written(receiver: Receiver, parcel: Parcel, host: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"[llamaswap] {title(parcel.kind, parcel.alert, host)}"
    sender = receiver.sender or receiver.username
    message["From"] = sender if "<" in sender else formataddr(("llamaswap", sender))
    message["To"] = ", ".join(receiver.to)
    message["Date"] = format_datetime(datetime.fromtimestamp(parcel.made, UTC))
    message["Message-ID"] = f"<{parcel.id}@llamaswap.invalid>"  # the same at every try
    message["Auto-Submitted"] = "auto-generated"
    alert = parcel.alert
    facts = {"rule": alert.rule, "machine": host, "began": stamp(alert.began), "ended": stamp(alert.ended)}
    more = [] if parcel.kind == TEST else [f"{name}: {value}" for name, value in facts.items() if value]
    message.set_content("\n".join([sentence(parcel.kind, alert), "", *more]))
    return message


def send(receiver: Receiver, parcel: Parcel, host: str) -> Trouble | None:
    """None where it was taken."""
    try:
        converse(receiver, written(receiver, parcel, host))
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients.items()
        said = "; ".join(f"{name}: {code} {text.decode('utf-8', 'replace')}" for name, (code, text) in refused)
        return Trouble(said, all(code >= PERMANENT for _, (code, _) in refused))
    except smtplib.SMTPAuthenticationError as error:
        return Trouble(f"the mail server refuses the login: {said_by(error)}")
    except smtplib.SMTPResponseException as error:
        return Trouble(said_by(error), isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= PERMANENT)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Trouble(str(error) or type(error).__name__)
    return None


def said_by(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error
    return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def converse(receiver: Receiver, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    if receiver.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(receiver.host, receiver.port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(receiver.host, receiver.port, timeout=SECONDS)
    try:
        if receiver.tls == "starttls":
            server.starttls(context=context)
        if receiver.username:
            server.login(receiver.username, receiver.password)
        server.send_message(message)
        with suppress(OSError, smtplib.SMTPException):  # it was taken, however the goodbye goes
            server.quit()
    finally:
        server.close()
