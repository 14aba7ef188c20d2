"""Rendering templates. API of ``quart.templating``.

A template that has nothing to await is rendered as plain code, see
:mod:`.needs_async`; what comes out is the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

from jinja2 import Template, TemplateNotFound
from quart_contexts.ctx import has_request_context, has_websocket_context
from quart_contexts.globals import current_app
from quart_core.helpers import stream_with_context
from quart_core.parts.templates import TemplateMethods
from quart_core.signals import before_render_template, send_signal, template_rendered

from .context import update_template_context
from .environment import Environment
from .errors import explained
from .loading import DispatchingJinjaLoader
from .needs_async import NeedsAsync, allows_an_attempt

__all__ = (
    "DispatchingJinjaLoader",
    "Environment",
    "render_fragment",
    "render_template",
    "render_template_string",
    "stream_template",
    "stream_template_string",
)

# A name, a template, or several of which the first that exists is taken.
TemplateNames = str | Template | list[str | Template]
# How a template is got from an environment, and by what it is remembered.
Find = Callable[[Any], Template]


async def render_template(template_name_or_list: TemplateNames, **context: Any) -> str:
    """Render a template.

    Args:
        template_name_or_list: Its name, or names of which the first that exists is
            taken.
        **context: The names the template sees.

    Raises:
        jinja2.TemplateNotFound: There is none of that name; the text lists the
            folders searched and close names.
    """
    return await _render(*_by_name(template_name_or_list), context)


async def render_template_string(source: str, **context: Any) -> str:
    """Render a template given as text; it is escaped as HTML is.

    Args:
        source: The text of the template.
        **context: The names the template sees.
    """
    return await _render(lambda env: env.from_string(source), source, context)


async def stream_template(
    template_name_or_list: TemplateNames, **context: Any
) -> AsyncIterator[str]:
    """Render a template in pieces, to be returned from a view.

    Args:
        template_name_or_list: As for :func:`render_template`.
        **context: The names the template sees.

    Raises:
        jinja2.TemplateNotFound: As for :func:`render_template`.
    """
    find, _ = _by_name(template_name_or_list)
    return await _stream(find, context)


async def stream_template_string(source: str, **context: Any) -> AsyncIterator[str]:
    """Render a template given as text in pieces, to be returned from a view.

    Args:
        source: The text of the template.
        **context: The names the template sees.
    """
    return await _stream(lambda env: env.from_string(source), context)


async def render_fragment(
    template_name_or_list: TemplateNames, name: str, **context: Any
) -> str:
    """Render one block or macro of a template, for pages that update in part.

    A block is rendered as if nothing were around it: names that the template sets
    outside the block are not there. A macro gets the context as its arguments.

    Args:
        template_name_or_list: As for :func:`render_template`.
        name: Name of the block, or else of the macro.
        **context: The names the block sees, or the arguments of the macro.

    Raises:
        jinja2.TemplateNotFound: As for :func:`render_template`.
        LookupError: The template has no block or macro of that name.
    """
    app = current_app._get_current_object()
    find, _ = _by_name(template_name_or_list)
    template = _found(find, app.jinja_env)
    if name not in template.blocks:
        return await _call_macro(template, name, context)
    await _update_context(app, context)
    block_context = template.new_context(context)
    pieces = template.blocks[name](block_context)
    return "".join([piece async for piece in pieces])  # type: ignore[attr-defined]


async def _call_macro(template: Template, name: str, context: dict[str, Any]) -> str:
    # A macro of an asynchronous template is called to be awaited.
    module = await template.make_module_async()
    macro: Callable[..., Any] | None = getattr(module, name, None)
    if macro is not None and callable(macro):
        return str(await macro(**context))
    blocks = ", ".join(sorted(template.blocks)) or "none"
    raise LookupError(
        f"The template {template.name!r} has no block or macro {name!r}. "
        f"Its blocks: {blocks}."
    )


def _by_name(names: TemplateNames) -> tuple[Find, Any]:
    key = names if isinstance(names, (str, Template)) else tuple(names)
    return lambda env: env.get_or_select_template(names), key


def _found(find: Find, environment: Any) -> Template:
    try:
        return find(environment)
    except TemplateNotFound as error:
        _explain(error, environment)


def _explain(error: TemplateNotFound, environment: Any) -> NoReturn:
    if isinstance(environment.loader, DispatchingJinjaLoader):
        raise explained(error, environment.loader) from None
    raise error


async def _render(find: Find, key: Any, context: dict[str, Any]) -> str:
    app = current_app._get_current_object()
    environment = app.jinja_env
    await _update_context(app, context)
    plain = environment.plain if isinstance(environment, Environment) else None
    announced = False
    if (
        plain is not None
        and not plain.knows_as_async(key)
        and allows_an_attempt(context)
    ):
        try:
            template = _found(find, plain)
            await _announce(app, template, context)
            announced = True
            text = template.render(context)
        except NeedsAsync:
            plain.remember_as_async(key)
        except TypeError as error:
            # An async iterable in a loop, which is told apart only by the attempt.
            if "async" not in str(error):
                raise
            plain.remember_as_async(key)
        else:
            await _conclude(app, template, context)
            return text
    template = _found(find, environment)
    if not announced:
        await _announce(app, template, context)
    text = await template.render_async(context)
    await _conclude(app, template, context)
    return text


async def _update_context(app: Any, context: dict[str, Any]) -> None:
    """Add the names a template sees, by the application's method if it has one."""
    if type(app).update_template_context is TemplateMethods.update_template_context:
        await update_template_context(app, context)
    else:
        await app.update_template_context(context)


async def _announce(app: Any, template: Template, context: dict[str, Any]) -> None:
    if before_render_template.receivers:
        await send_signal(
            before_render_template, app, template=template, context=context
        )


async def _conclude(app: Any, template: Template, context: dict[str, Any]) -> None:
    if template_rendered.receivers:
        await send_signal(template_rendered, app, template=template, context=context)


async def _stream(find: Find, context: dict[str, Any]) -> AsyncIterator[str]:
    app = current_app._get_current_object()
    await _update_context(app, context)
    # Nothing that was sent can be taken back, so there is no attempt as plain code.
    template = _found(find, app.jinja_env)
    await _announce(app, template, context)

    async def pieces() -> AsyncIterator[str]:
        async for piece in template.generate_async(context):
            yield piece
        await _conclude(app, template, context)

    if has_request_context() or has_websocket_context():
        return stream_with_context(pieces())
    return pieces()
