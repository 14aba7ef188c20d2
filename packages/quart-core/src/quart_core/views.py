"""Views as classes. API of ``quart.views`` and ``flask.views``."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.exceptions import MethodNotAllowed

from .globals import current_app, request
from .threads import is_coroutine_callable

if TYPE_CHECKING:
    from .typing import ResponseReturnValue, RouteCallable

__all__ = ["MethodView", "View", "http_method_funcs"]

#: The names that make methods of a ``MethodView`` answer requests.
http_method_funcs = frozenset(
    {"delete", "get", "head", "options", "patch", "post", "put", "trace"}
)


class View:
    """A view that is a class: ``dispatch_request`` answers, ``as_view`` registers.

    ::

        class Hello(View):
            async def dispatch_request(self, name):
                return f"Hello {name}"

        app.add_url_rule("/hello/<name>", view_func=Hello.as_view("hello"))
    """

    #: The methods the view is registered for, GET if None.
    methods: ClassVar[Collection[str] | None] = None

    #: Whether OPTIONS is answered for it; None leaves it to the app.
    provide_automatic_options: ClassVar[bool | None] = None

    #: Applied to the view function one after the other, so the last is outermost.
    # Any: decorators may give callables of any kind.
    decorators: ClassVar[list[Callable[..., Any]]] = []

    #: Make an instance for every request. Where instances keep nothing of a request,
    #: ``False`` makes one for all.
    init_every_request: ClassVar[bool] = True

    # Any: the values of the rule, whose names the subclass has as parameters.
    async def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue:
        """Answer the request. A subclass may define it without ``async`` as well.

        Args:
            **kwargs: The values of the URL rule.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define dispatch_request()."
        )

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> RouteCallable:
        """Make the function that is registered as the view.

        Args:
            name: The endpoint.
            *class_args: Passed on to the class when an instance is made.
            **class_kwargs: Likewise.
        """
        registered: list[Callable[[], Any]] = []
        view = cls._dispatcher(class_args, class_kwargs, registered)
        view.__name__ = name
        view.__doc__ = cls.__doc__
        view.__module__ = cls.__module__
        for decorator in cls.decorators:
            view = decorator(view)
        view.view_class = cls
        view.methods = cls.methods
        view.provide_automatic_options = cls.provide_automatic_options
        # The class may be replaced on the view; without a cycle through its closure.
        registered.append(weakref.ref(view))
        result: RouteCallable = view
        return result

    # Any: a function that is given attributes, and whatever decorators make of it.
    @classmethod
    def _dispatcher(
        cls,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        registered: list[Callable[[], Any]],
    ) -> Any:
        shared = None if cls.init_every_request else cls(*args, **kwargs)
        is_async = is_coroutine_callable(cls.dispatch_request)

        async def view(**values: Any) -> Any:
            current = getattr(registered[0](), "view_class", cls)
            if shared is None or current is not cls:
                instance = current(*args, **kwargs)
            else:
                instance = shared
            dispatch: Any = instance.dispatch_request
            if current is not cls or not is_async:
                dispatch = current_app.ensure_async(dispatch)
            return await dispatch(**values)

        return view


class MethodView(View):
    """A view with a method for each HTTP method it answers.

    ::

        class Counter(MethodView):
            async def get(self): ...
            async def post(self): ...

    ``methods`` is collected from the class and its bases, unless the class sets it.
    HEAD requests go to ``get`` where there is no ``head``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "methods" in cls.__dict__:
            return
        methods = {name.upper() for name in http_method_funcs if hasattr(cls, name)}
        for base in cls.__bases__:
            methods.update(getattr(base, "methods", None) or ())
        if methods:
            cls.methods = methods

    async def dispatch_request(self, **kwargs: Any) -> ResponseReturnValue:
        """Call the method for the request's HTTP method.

        Raises:
            werkzeug.exceptions.MethodNotAllowed: There is none.
        """
        handler = self._handler(request.method)
        if handler is None:
            raise MethodNotAllowed(valid_methods=sorted(self.methods or ()))
        result: ResponseReturnValue
        result = await current_app.ensure_async(handler)(**kwargs)
        return result

    def _handler(self, method: str) -> Callable[..., Any] | None:
        """Find the method for a verb that is one, never any other attribute."""
        name = method.lower()
        if name not in http_method_funcs and method not in (self.methods or ()):
            return None
        handler: Callable[..., Any] | None = getattr(self, name, None)
        if handler is None and name == "head":
            handler = getattr(self, "get", None)
        return handler
