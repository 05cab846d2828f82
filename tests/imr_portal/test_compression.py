"""Pages are compressed, in a way that does not tell what is in them; files are not."""

import gzip
import re

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import reverse

from accounts.roles import Role
from imr_portal.middleware import CompressionMiddleware
from tests.factories import person, received_case

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def answer_with(response, **headers):
    request = RequestFactory().get("/", headers=headers or GZIP)
    return CompressionMiddleware(lambda request: response)(request)


@pytest.mark.django_db
def test_a_page_and_a_fragment_are_compressed_if_the_browser_takes_it(client):
    received_case()
    client.force_login(person(Role.COORDINATOR))
    address = reverse("desk:queue", args=["eligibility"])
    for headers in (GZIP, GZIP | {"HX-Request": "true"}):
        answer = client.get(address, headers=headers)
        assert answer["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer["Vary"]
        text = gzip.decompress(answer.content)
        assert b"</" in text
        assert len(answer.content) < len(text)
    assert "Content-Encoding" not in client.get(address)


def test_the_length_of_an_answer_is_random():
    """Otherwise it tells how well a guess fits what the page holds: the attack named BREACH."""
    page = "a page with a secret " * 100
    lengths = {len(answer_with(HttpResponse(page)).content) for _ in range(60)}
    assert len(lengths) > 10


@pytest.mark.django_db
def test_the_token_of_forms_reads_differently_in_each_answer(client):
    client.force_login(person(Role.INTAKE))
    pages = [
        gzip.decompress(client.get(reverse("intake:intake"), headers=GZIP).content).decode()
        for _ in range(3)
    ]
    assert len({TOKEN.search(page)[1] for page in pages}) == 3
    headers = {re.search(r"X-CSRFToken\W+(\w+)", page)[1] for page in pages}
    assert len(headers) == 3


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/octet-stream"])
def test_files_are_sent_as_they_are(kind):
    answer = answer_with(HttpResponse(b"a" * 5000, content_type=kind))
    assert "Content-Encoding" not in answer
    assert answer.content == b"a" * 5000


def test_a_streamed_answer_keeps_its_length(tmp_path):
    path = tmp_path / "one.txt"
    path.write_bytes(b"a" * 5000)
    with path.open("rb") as file:
        answer = answer_with(FileResponse(file, content_type="text/plain"))
        assert answer["Content-Length"] == "5000"
        assert b"".join(answer) == b"a" * 5000
    assert "Content-Encoding" not in answer_with(
        StreamingHttpResponse(["a"], content_type="text/csv")
    )
