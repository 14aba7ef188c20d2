"""The short way of a request: the steps of the pipeline without their calls.

Most applications replace none of the pipeline's steps, and most requests have nothing
to do in most of them. Then what the steps come to is done here, in one coroutine. An
application that has a step of its own (overridden in a subclass, or set on the class
or on the object at any time) goes the long way, step by step.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from quart_contexts.ctx import RequestContext

from .discarded import discard
from .pipeline import RequestPipeline
from .sessions import SecureCookieSessionInterface
from .signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
    send_signal,
)
from .wrappers import Request, Response

__all__ = ("ShortWay",)

#: The steps whose calls are spared.
STEPS: Final = (
    "request_context",
    "_context_pushed",
    "_match_directly",
    "create_url_adapter",
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "ensure_async",
    "finalize_request",
    "make_response",
    "process_response",
    "do_teardown_request",
    "do_teardown_appcontext",
)
_STEP_NAMES: Final = frozenset(STEPS)

# One call in C, whatever the number of names.
_steps_of: Final = attrgetter(*STEPS)
_OWN_STEPS: Final = _steps_of(RequestPipeline)

_opening_of: Final = attrgetter("open_session", "make_null_session")
_OWN_OPENING: Final = _opening_of(SecureCookieSessionInterface)


class ShortWay(RequestPipeline):
    """The pipeline with its short way."""

    async def handle_request(self, request: Request) -> Response:
        """Handle a request from its context to its teardown.

        Raises:
            Exception: The view's, where exceptions propagate.
        """
        if _steps_of(type(self)) != _OWN_STEPS or not (
            self.__dict__.keys().isdisjoint(_STEP_NAMES)
        ):
            return await super().handle_request(request)
        ctx = RequestContext(self, request)
        error: BaseException | None = None
        response: Any = None
        try:
            try:
                ctx._bind()
                response = await self._respond(ctx, request)
            except Exception as raised:  # noqa: BLE001 - a handler's, or raised
                error = raised
                response = await self.handle_exception(raised)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if error is None and not (
                self.teardown_request_funcs
                or self.teardown_appcontext_funcs
                or request_tearing_down.receivers
                or appcontext_tearing_down.receivers
                or appcontext_popped.receivers
                or request._files
                or request.scope.get("_quart._preserve_context")
                or type(request).close is not Request.close
            ):
                ctx.leave()
            else:
                if error is not None and self.should_ignore_error(error):
                    error = None
                try:
                    await ctx.auto_pop(error)
                except BaseException:
                    await discard(response, self.logger)
                    raise
                finally:
                    # The traceback refers to this frame, this frame to the exception.
                    error = None
        return response  # type: ignore[no-any-return]

    async def _respond(self, ctx: RequestContext, request: Request) -> Any:
        """Do what is done between the push and the pop of the context."""
        interface = self.session_interface
        if (
            type(interface) is not SecureCookieSessionInterface
            or _opening_of(SecureCookieSessionInterface) != _OWN_OPENING
            or "open_session" in interface.__dict__
        ) and getattr(interface, "opens_lazily", False) is not True:
            await ctx._open_session(interface, request)
        if request.routing_exception is None and request.url_rule is None:
            self._match(ctx, request)
        if appcontext_pushed.receivers:
            await send_signal(appcontext_pushed, self)
        self._got_first_request = True
        try:
            result = None
            if request_started.receivers:
                await send_signal(request_started, self)
            if self.before_request_funcs or self.url_value_preprocessors:
                result = await self.preprocess_request(ctx)
            if result is None:
                rule = request.url_rule
                if rule is None or request.method == "OPTIONS":
                    result = await self.dispatch_request(ctx)
                else:
                    result = await self._view(rule.endpoint)(**request.view_args)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - a handler's, or raised
            result = await self.handle_user_exception(error)
        try:
            kind = type(result)
            if kind is str or kind is bytes:
                response: Any = self.response_class(result)
            elif kind is dict or kind is list:
                response = self.json.response(result)
            else:
                response = await self.make_response(result)
        finally:
            # An HTTP exception's traceback refers to this frame: no cycle with it.
            result = None
        if (
            ctx._session is None
            and ctx._after_request is None
            and not self.after_request_funcs
            and not request_finished.receivers
            and not self._must_refresh_session(ctx, interface)
        ):
            return response
        return await self._finish(response, ctx)

    def _match(self, ctx: RequestContext, request: Request) -> None:
        """Find the rule, in the compiled lookup where that can tell."""
        if not self.subdomain_matching and self.config["TRUSTED_HOSTS"] is None:
            found = self.url_map.lookup(request.method, request.path)
            if found is not None:
                request.url_rule, request.view_args = found
                return
        ctx.match_request()

    def _must_refresh_session(self, ctx: RequestContext, interface: Any) -> bool:
        """Return whether a session nobody read may be permanent, and so re-sent."""
        config = self.config
        if config["SECRET_KEY"] is None and (
            type(interface) is SecureCookieSessionInterface
        ):
            return False
        return (
            bool(config["SESSION_REFRESH_EACH_REQUEST"])
            and self._session_to_refresh(ctx) is not None
        )
