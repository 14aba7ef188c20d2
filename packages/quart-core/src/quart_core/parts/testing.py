"""Test clients; quart-testing implements them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..missing import import_part
from .lazy import LazyClass

if TYPE_CHECKING:
    from quart_contexts.ctx import RequestContext

__all__ = ("TestingMethods",)

PACKAGE = "quart-testing"

_sentinel: Any = object()


async def no_op_push(path: str, headers: Any) -> None:
    """Accept a push promise and do nothing with it."""


class TestingMethods:
    """What tests call on the application. Clients are quart-testing's, hence Any."""

    __test__ = False

    test_app_class: Any = LazyClass("quart_testing.app", "TestApp", PACKAGE)
    test_client_class: Any = LazyClass("quart_testing.client", "QuartClient", PACKAGE)
    test_cli_runner_class: Any = LazyClass(
        "quart_testing.runner", "QuartCliRunner", PACKAGE
    )

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> Any:
        """Return a client that makes requests without a server.

        The functions around serving do not run, see :meth:`test_app`.
        """
        return self.test_client_class(self, use_cookies=use_cookies, **kwargs)

    def test_cli_runner(self, **kwargs: Any) -> Any:
        """Return a runner for the application's commands."""
        return self.test_cli_runner_class(self, **kwargs)

    def test_app(self) -> Any:
        """Return a context manager that starts and stops the application."""
        return self.test_app_class(self)

    def test_request_context(
        self,
        path: str = "/",
        base_url: str | None = None,
        *,
        method: str = "GET",
        headers: Any = None,
        query_string: Any = None,
        scheme: str = "http",
        send_push_promise: Any = no_op_push,
        data: Any = None,
        form: Any = None,
        json: Any = _sentinel,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Any = None,
        auth: Any = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
    ) -> RequestContext:
        """Return the context of a request that is never dispatched.

        Opens the session, matches the URL, runs no function before the request.
        The parameters are those of the test client's ``open``.
        """
        part = import_part("quart_testing.utils", "app.test_request_context()", PACKAGE)
        given = {} if json is _sentinel else {"json": json}
        request = part.make_test_request(
            self,
            path,
            base_url,
            method=method,
            headers=headers,
            query_string=query_string,
            scheme=url_scheme or scheme,
            send_push_promise=send_push_promise,
            data=data,
            form=form,
            root_path=root_path,
            http_version=http_version,
            scope_base=scope_base,
            auth=auth,
            subdomain=subdomain,
            **given,
        )
        context: RequestContext = self.request_context(request)  # type: ignore[attr-defined]
        return context
