"""Files that people and their enemies send, made here so that none of them lies about."""

import io
import zlib

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw


def make_pdf(pages=1, words="Progress report, page"):
    """A plain PDF with a text layer."""
    document = pikepdf.new()
    font = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    for number in range(1, pages + 1):
        page = document.add_blank_page(page_size=(612, 792))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        content = f"BT /F1 24 Tf 72 700 Td ({words} {number}) Tj ET"
        page.Contents = document.make_stream(content.encode())
    return save_document(document)


def save_document(document, **options):
    """The document's bytes; the same ones each time."""
    out = io.BytesIO()
    document.save(out, deterministic_id="encryption" not in options, **options)
    return out.getvalue()


def make_changed_pdf(change, pages=1):
    """A plain PDF after one change."""
    document = pikepdf.open(io.BytesIO(make_pdf(pages)))
    change(document)
    return save_document(document)


def make_encrypted_pdf():
    document = pikepdf.open(io.BytesIO(make_pdf()))
    return save_document(document, encryption=pikepdf.Encryption(owner="owner", user="secret"))


def with_owner_password_only():
    """Opens without a password; only printing or copying is forbidden. Hospitals send these."""
    document = pikepdf.open(io.BytesIO(make_pdf()))
    return save_document(document, encryption=pikepdf.Encryption(owner="owner", user=""))


def with_script():
    def change(document):
        document.Root.OpenAction = pikepdf.Dictionary(
            S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('here')")
        )
        document.Root.Names = pikepdf.Dictionary(
            JavaScript=pikepdf.Dictionary(
                Names=[
                    pikepdf.String("run"),
                    pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("run()")),
                ]
            )
        )

    return make_changed_pdf(change)


def with_launch():
    def change(document):
        link = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Link,
            Rect=[0, 0, 612, 792],
            A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe")),
        )
        document.pages[0].Annots = document.make_indirect(pikepdf.Array([link]))

    return make_changed_pdf(change)


def with_attachment():
    def change(document):
        document.attachments["other.txt"] = b"what no one would see"

    return make_changed_pdf(change)


def form_for_adobe_reader():
    def change(document):
        document.Root.NeedsRendering = True
        document.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=document.make_stream(b"<xdp/>"))

    return make_changed_pdf(change)


def make_decompression_bomb(layers=2, size=512 * 1024 * 1024):
    """A page whose content is nothing, half a GiB of it, packed into a few kilobytes."""
    packer = zlib.compressobj(9)
    block = b" " * (1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
    for _ in range(layers - 1):
        packed = zlib.compress(packed, 9)
    document = pikepdf.new()
    page = document.add_blank_page()
    stream = document.make_stream(b"")
    page.Contents = document.make_indirect(stream)
    filters = pikepdf.Array([pikepdf.Name.FlateDecode] * layers)
    stream.write(packed, filter=filters)
    return save_document(document, compress_streams=False)


def make_png(width=400, height=300):
    return _picture("PNG", width, height)


def make_jpeg(width=400, height=300):
    return _picture("JPEG", width, height)


def make_tiff(pages=2):
    sheets = [_sheet(400, 300, f"fax page {number}") for number in range(1, pages + 1)]
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="tiff_lzw")
    return out.getvalue()


def huge_png():
    """A picture of 900 million points in a few kilobytes."""
    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    header = (30_000).to_bytes(4, "big") * 2 + b"\x01\x00\x00\x00\x00"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")):
        out.write(len(body).to_bytes(4, "big") + kind + body)
        out.write(zlib.crc32(kind + body).to_bytes(4, "big"))
    return out.getvalue()


def make_upload(content, name="report.pdf"):
    """The bytes as a form hands them over."""
    file = SimpleUploadedFile("plain.pdf", content)
    file._name = name  # as a browser that was tampered with sends it
    return file


def _sheet(width, height, words="paper"):
    picture = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(picture).text((10, 10), words, fill="black")
    return picture


def _picture(kind, width, height):
    out = io.BytesIO()
    _sheet(width, height).save(out, kind)
    return out.getvalue()
