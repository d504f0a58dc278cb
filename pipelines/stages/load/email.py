"""Letters."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import ClassVar

from pipelines.errors import DatasetError, shorten
from pipelines.stages.load import Attempt, Loader, Note
from pipelines.stages.load.encodings import decoded
from pipelines.stages.load.html_text import decode_page, write_page
from pipelines.stages.load.writer import Writer, one_line, titled

_SHOWN = 5


class EmailLoader(Loader, name="email", version=1):
    """Read e-mail (.eml): the subject and the body; who wrote to whom and when as metadata.

    Of a letter in two forms the plain one is read. Attachments are named in a note, and not read.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some tens of milliseconds a file, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".eml",)

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document."""
        message = message_from_bytes(data, policy=policy.default)
        if not isinstance(message, EmailMessage) or not (message["from"] or message["subject"] or message["date"]):
            raise DatasetError(f"{where} is no e-mail: it has neither sender nor subject nor date; take it out.")
        writer = Writer()
        subject = one_line(str(message["subject"] or ""))
        writer.block(subject)
        _write_body(message, writer, where)
        if names := _attachments(message):
            shown = ", ".join(shorten(name, 60) for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield Note(f"{where} has attachments that were not read: {shown}{more}.")
        if writer.empty:
            yield DatasetError(f"{where} is an e-mail without any text; take it out.")
            return
        yield writer.document(
            document_id,
            titled(
                subject,
                **{"from": _header(message, "from"), "to": _header(message, "to")},
                date=_date(message),
            ),
        )


def _write_body(message: EmailMessage, writer: Writer, where: str) -> None:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return
    content = body.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    charset = body.get_content_charset()
    try:
        text = data.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        text = (decode_page if body.get_content_subtype() == "html" else _plain)(data, where)[0]
    if body.get_content_subtype() == "html":
        write_page(text, writer, main_text=False)
    else:
        writer.block(text.replace("\r\n", "\n"))


def _plain(data: bytes, where: str) -> tuple[str, list[Note]]:
    return decoded(data, where, "auto")


def _attachments(message: EmailMessage) -> list[str]:
    return [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return one_line(str(value)) if value is not None else None


def _date(message: EmailMessage) -> str | None:
    """Return the day on which it was sent, in ISO form."""
    sent = getattr(message["date"], "datetime", None)
    return sent.date().isoformat() if sent is not None else None
