"""The common views in Django; run in an environment of its own."""

import asyncio
import hashlib
import os

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import (
    FileResponse,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DEBUG=False,
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the test",
    USE_TZ=True,
)
django.setup()

release = asyncio.Event()


def hello(request):  # in Django's thread
    return JsonResponse(
        {
            "name": request.GET["name"],
            "method": request.method,
            "scheme": request.scheme,
        }
    )


async def form(request):
    file = request.FILES.get("file")
    size = None if file is None else len(file.read())
    return JsonResponse({"name": request.POST["name"], "size": size})


async def digest(request):
    return HttpResponse(hashlib.sha256(request.body).hexdigest())


async def stream(request):
    async def generate():
        yield "first\n"
        await release.wait()
        yield "last\n"

    return StreamingHttpResponse(generate(), content_type="text/plain")


async def endless(request):
    async def generate():
        try:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.01)
        finally:
            print("closed", flush=True)

    return StreamingHttpResponse(generate(), content_type="text/plain")


async def let_go(request):
    release.set()
    return HttpResponse("", status=204)


def cookies(request):
    answer = HttpResponse("set")
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer


def file(request):
    return FileResponse(open(os.environ["APP_FILE"], "rb"))


async def fail(request):
    raise ValueError("of the view")


urlpatterns = [
    path("hello", hello),
    path("form", form),
    path("digest", digest),
    path("stream", stream),
    path("endless", endless),
    path("release", let_go),
    path("cookies", cookies),
    path("file", file),
    path("fail", fail),
]
app = get_asgi_application()
